import type { LiveUpdateStep } from "../../model/plan.ts";
import {
  isString,
  reprText,
  toJsString,
  typeName,
  types,
  type Value,
} from "../../starlark/index.ts";
import { formatCommand, oneOrMore, pathTypes, toArgv } from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { goList, goQuote } from "../go/quote.ts";
import { recordStep } from "../live-update.ts";

/** The steps of live_update: checked like Tilt does, never carried out in a run that ends. */
export function liveUpdateBuiltins(evaluation: Evaluation): BuiltinTable {
  const { paths } = pathTypes(evaluation);
  const fallBackOn = { paths };
  const sync = { local_path: types.string, remote_path: types.string };
  const run = { cmd: types.value, "trigger?": types.value, "echo_off?": types.bool };
  const record = (call: Call, step: LiveUpdateStep, text: string) =>
    recordStep(evaluation, {
      step,
      text,
      typeName: `live_update_${step.type}_step`,
      position: call.site(),
    });

  return {
    fall_back_on(call) {
      const files = call.unpack(fallBackOn).paths;
      return record(
        call,
        { type: "fall_back_on", paths: files },
        `fall_back_on step: ${goList(files)}'`,
      );
    },
    sync(call) {
      const { local_path, remote_path } = call.unpack(sync);
      const localPath = evaluation.absolute(local_path);
      return record(
        call,
        { type: "sync", localPath, remotePath: remote_path },
        `sync step: '${localPath}'->'${remote_path}'`,
      );
    },
    run(call) {
      const { cmd, trigger, echo_off } = call.unpack(run);
      const argv = toArgv(cmd);
      const triggers = oneOrMore(trigger).map((item) => triggerPath(item, argv));
      const shown = triggers.length > 0 ? ` (triggers: ${triggers.join("; ")})` : "";
      return record(
        call,
        { type: "run", argv, triggers, echoOff: echo_off ?? false },
        `run step: ${goQuote(formatCommand(argv))}${shown}`,
      );
    },
    restart_container(call) {
      call.unpack({});
      return record(call, { type: "restart_container" }, "restart_container step");
    },
    initial_sync(call) {
      call.unpack({});
      return record(call, { type: "initial_sync" }, "initial_sync step");
    },
  };
}

function triggerPath(item: Value, argv: readonly string[]): string {
  if (isString(item)) return toJsString(item);
  throw new Error(
    `run cmd '${formatCommand(argv)}' triggers contained value '${reprText(item)}' of type '${typeName(item)}'. it may only contain strings`,
  );
}
