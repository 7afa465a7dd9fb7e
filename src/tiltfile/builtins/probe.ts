import {
  elementsOf,
  fromJsString,
  goTypeName,
  isInt,
  isSequence,
  isString,
  makeInt,
  reprText,
  StarlarkList,
  toJsString,
  toStarlark,
  typeName,
  types,
  type Value,
} from "../../starlark/index.ts";
import type { BuiltinTable } from "../builtin.ts";
import { ProbeActionValue, ProbeValue } from "../values/probe.ts";

/** What Kubernetes takes for a field that is zero. */
const DEFAULTS = { timeout_secs: 1, period_secs: 10, success_threshold: 1, failure_threshold: 3 };

const PROBE = {
  "initial_delay_secs?": int32,
  "timeout_secs?": int32,
  "period_secs?": int32,
  "success_threshold?": int32,
  "failure_threshold?": int32,
  "exec?": action("ExecAction"),
  "http_get?": action("HTTPGetAction"),
  "tcp_socket?": action("TCPSocketAction"),
} as const;

const HTTP_GET = {
  port: types.int,
  "host?": types.string,
  "scheme?": types.string,
  "path?": types.string,
} as const;

/** probe() and what it does. */
export function probeBuiltins(): BuiltinTable {
  return {
    probe(call) {
      const given = call.unpack(PROBE);
      const actions = [given.exec, given.http_get, given.tcp_socket].filter(
        (value) => value !== undefined,
      );
      if (actions.length !== 1) {
        throw new Error("exactly one of exec, http_get, or tcp_socket must be specified");
      }
      return new ProbeValue(
        {
          initial_delay_secs: given.initial_delay_secs ?? 0,
          timeout_secs: given.timeout_secs ?? 0,
          period_secs: given.period_secs ?? 0,
          success_threshold: given.success_threshold ?? 0,
          failure_threshold: given.failure_threshold ?? 0,
          exec: given.exec ?? null,
          http_get: given.http_get ?? null,
          tcp_socket: given.tcp_socket ?? null,
        },
        {
          initialDelaySecs: given.initial_delay_secs ?? 0,
          timeoutSecs: given.timeout_secs || DEFAULTS.timeout_secs,
          periodSecs: given.period_secs || DEFAULTS.period_secs,
          successThreshold: given.success_threshold || DEFAULTS.success_threshold,
          failureThreshold: given.failure_threshold || DEFAULTS.failure_threshold,
          action: actions[0]!.action,
        },
      );
    },

    exec_action(call) {
      const { command } = call.unpack({ command: commandWords });
      return new ProbeActionValue(
        "ExecAction",
        { command: new StarlarkList(command.map(fromJsString)) },
        { type: "exec", argv: command },
      );
    },

    http_get_action(call) {
      const { port, host = "", scheme = "", path = "" } = call.unpack(HTTP_GET);
      return new ProbeActionValue(
        "HTTPGetAction",
        {
          host: fromJsString(host),
          port: makeInt(port),
          scheme: fromJsString(scheme),
          path: fromJsString(path),
        },
        {
          type: "http",
          port,
          host: host || "localhost",
          path,
          scheme: scheme.toUpperCase() === "HTTPS" ? "https" : "http",
        },
      );
    },

    tcp_socket_action(call) {
      const { port, host = "" } = call.unpack({ port: types.int, "host?": types.string });
      return new ProbeActionValue(
        "TCPSocketAction",
        { host: fromJsString(host), port: makeInt(port) },
        { type: "tcp", port, host: host || "localhost" },
      );
    },
  };
}

function int32(value: Value): number {
  if (!isInt(value)) throw new Error(`got ${typeName(value)}, want int`);
  if (BigInt.asIntN(32, BigInt(value)) !== BigInt(value)) {
    throw new Error(`value out of range for int32: ${reprText(toStarlark(value))}`);
  }
  return Number(value);
}

function action(wanted: string): (value: Value) => ProbeActionValue | undefined {
  return (value) => {
    if (value === null) return undefined;
    if (value instanceof ProbeActionValue && value.typeName === wanted) return value;
    throw new Error(`got ${goTypeName(value)}, want ${wanted}`);
  };
}

function commandWords(value: Value): string[] {
  if (!isSequence(value))
    throw new Error(`'${reprText(value)}' is a ${goTypeName(value)}, not a sequence`);
  return (elementsOf(value) ?? []).map((element) => {
    if (isString(element)) return toJsString(element);
    throw new Error(`'${reprText(element)}' is a ${goTypeName(element)}, not a string`);
  });
}
