import type { Command, Probe } from "../../model/plan.ts";
import { goTypeName, types, type Value } from "../../starlark/index.ts";
import {
  formatCommand,
  kinds,
  pathTypes,
  patterns,
  stringsNamed,
  toCommand,
} from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { goQuote } from "../go/quote.ts";
import { runLocalCommand } from "../local-command.ts";
import { blobOf } from "../values/blob.ts";
import { ProbeValue } from "../values/probe.ts";

const TEST_IS_DEPRECATED =
  "test() is deprecated and will be removed in a future release.\n" +
  "Change this call to use `local_resource(..., allow_parallel=True)`";

const LOCAL = {
  command: types.value,
  "quiet?": types.bool,
  "command_bat?": types.value,
  "echo_off?": types.bool,
  "env?": kinds.textMap,
  "dir?": types.value,
  "stdin?": kinds.text,
} as const;

/** local(), local_resource() and test(). */
export function localBuiltins(evaluation: Evaluation): BuiltinTable {
  const spec = localResourceSpec(evaluation);
  return {
    local: (call) => runLocal(evaluation, call),
    local_resource: (call) => recordLocalResource(evaluation, call, spec),
    test(call) {
      evaluation.warn(TEST_IS_DEPRECATED, call.position());
      return recordLocalResource(evaluation, call, spec);
    },
  };
}

function runLocal(evaluation: Evaluation, call: Call): Value {
  if (!evaluation.executing) {
    throw new Error("Internal error Starlark not initialized correctly: start tiltfile not found");
  }
  checkContext(evaluation, call.name);
  const { command, quiet, echo_off, env, dir, stdin } = call.unpack(LOCAL);
  const parsed = toCommand(evaluation, { command, dir, env });
  evaluation.refuseCommand("local()");
  const stdout = runLocalCommand(evaluation, parsed, {
    logOutput: !quiet,
    ...(echo_off ? { hidden: true } : { announce: "local:" }),
    stdin,
  });
  return blobOf(stdout, `local: ${formatCommand(parsed.argv)}`);
}

function checkContext(evaluation: Evaluation, builtin: string): void {
  if (evaluation.contextIsAllowed) return;
  const { name } = evaluation.options.kubeContext;
  throw new Error(
    `Refusing to run '${builtin}' because ${name} might be a production kube context.\n` +
      `If you're sure you want to continue add:\n\tallow_k8s_contexts('${name}')\n` +
      "before this function call in your Tiltfile. Otherwise, switch k8s contexts and restart Tilt.",
  );
}

function localResourceSpec(evaluation: Evaluation) {
  const { paths } = pathTypes(evaluation);
  return {
    name: kinds.resourceName,
    "cmd?": types.value,
    "deps?": paths,
    "trigger_mode?": kinds.triggerMode,
    "resource_deps?": kinds.sequence,
    "ignore?": types.value,
    "auto_init?": types.bool,
    "serve_cmd?": types.value,
    "cmd_bat?": types.value,
    "serve_cmd_bat?": types.value,
    "allow_parallel?": types.bool,
    "links?": kinds.links,
    "labels?": kinds.labels,
    "env?": kinds.textMap,
    "serve_env?": kinds.textMap,
    "readiness_probe?": readinessProbe,
    "dir?": types.value,
    "serve_dir?": types.value,
  } as const;
}

function recordLocalResource(
  evaluation: Evaluation,
  call: Call,
  spec: ReturnType<typeof localResourceSpec>,
): Value {
  const given = call.unpack(spec);
  // Tilt fails later, when nothing can refer to such a resource.
  if (given.name === "") throw new Error(`${call.name}: name must not be empty`);
  const resourceDeps = stringsNamed(`${call.name}: resource_deps`, given.resource_deps);
  const ignore = patterns(given.ignore, "ignore");
  const update = toCommand(evaluation, { command: given.cmd, dir: given.dir, env: given.env });
  const serve = toCommand(evaluation, {
    command: given.serve_cmd,
    dir: given.serve_dir,
    env: given.serve_env,
  });
  checkDirectories(given, update, serve);
  const probe = usableProbe(evaluation, call, given.name, given.readiness_probe, serve);
  evaluation.refuseCommand(`${call.name}(${goQuote(given.name)})`);
  evaluation.checkNameIsFree(given.name);
  evaluation.addLocal({
    name: given.name,
    position: call.position(),
    ...(isEmpty(update) ? {} : { updateCmd: update }),
    ...(isEmpty(serve) ? {} : { serveCmd: serve }),
    ...(probe === undefined ? {} : { readinessProbe: probe }),
    allowParallel: (given.allow_parallel ?? call.name === "test") || isEmpty(update),
    isTest: call.name === "test",
    deps: given.deps ?? [],
    ignore,
    ...(given.trigger_mode ? { triggerMode: given.trigger_mode } : {}),
    autoInit: given.auto_init ?? true,
    resourceDeps,
    links: given.links ?? [],
    labels: given.labels ?? [],
  });
  return null;
}

function isEmpty(command: Command): boolean {
  return command.argv.length === 0;
}

function checkDirectories(
  given: { dir: Value | undefined; serve_dir: Value | undefined },
  update: Command,
  serve: Command,
): void {
  if (given.dir !== undefined && isEmpty(update)) {
    throw new Error(
      isEmpty(serve)
        ? "local_resource: 'dir' specified but 'cmd' is empty"
        : "local_resource: 'dir' only affects 'cmd', not 'serve_cmd'. Did you mean to use 'serve_dir' instead?",
    );
  }
  if (given.serve_dir !== undefined && isEmpty(serve)) {
    throw new Error("local_resource: 'serve_dir' specified but 'serve_cmd' is empty");
  }
  if (isEmpty(update) && isEmpty(serve)) {
    throw new Error("local_resource must have a cmd and/or a serve_cmd, but both were empty");
  }
}

function usableProbe(
  evaluation: Evaluation,
  call: Call,
  name: string,
  probe: Probe | undefined,
  serve: Command,
): Probe | undefined {
  if (probe === undefined || !isEmpty(serve)) return probe;
  evaluation.warn(
    `Ignoring readiness probe for local resource ${goQuote(name)} (no serve_cmd was defined)`,
    call.position(),
  );
  return undefined;
}

function readinessProbe(value: Value): Probe | undefined {
  if (value === null) return undefined;
  if (value instanceof ProbeValue) return value.probe;
  throw new Error(`got ${goTypeName(value)}, want Probe`);
}
