import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { Host } from "../host/host.ts";
import type { Probe } from "../model/plan.ts";

export interface ProbeResult {
  readonly success: boolean;
  /** What was seen, for logs and failures. */
  readonly message: string;
}

/** Counts of a probe's results in a row; pure, so that `initialDelay` and thresholds are testable. */
export interface ProbeCount {
  readonly ready: boolean;
  readonly successes: number;
  readonly failures: number;
}

export const PROBE_START: ProbeCount = { ready: false, successes: 0, failures: 0 };

/** Kubernetes' thresholds: ready after `successThreshold` successes in a row, unready after `failureThreshold` failures. */
export function countProbe(count: ProbeCount, success: boolean, probe: Probe): ProbeCount {
  const successes = success ? count.successes + 1 : 0;
  const failures = success ? 0 : count.failures + 1;
  if (success && successes >= probe.successThreshold) return { ready: true, successes, failures };
  if (!success && failures >= probe.failureThreshold) return { ready: false, successes, failures };
  return { ready: count.ready, successes, failures };
}

/** Runs a probe's action once. Never throws: what goes wrong is a failure of the probe. */
export async function probeOnce(
  probe: Probe,
  host: Host,
  env: Readonly<Record<string, string>>,
  cwd: string,
  signal?: AbortSignal,
): Promise<ProbeResult> {
  const timeoutMs = probe.timeoutSecs * 1000;
  switch (probe.action.type) {
    case "exec": {
      const { argv } = probe.action;
      try {
        const outcome = await host.run(argv, {
          env,
          cwd,
          signal,
          timeoutMs,
          killAfterMs: 100,
          maxBuffer: 1000,
        });
        const said = `${outcome.stdout}${outcome.stderr}`.trim();
        if (outcome.timedOut)
          return { success: false, message: `timed out after ${probe.timeoutSecs}s` };
        return {
          success: outcome.exitCode === 0,
          message:
            outcome.exitCode === 0
              ? said
              : `exit status ${outcome.exitCode}${said ? `: ${said}` : ""}`,
        };
      } catch (error) {
        return { success: false, message: errorText(error) };
      }
    }
    case "http":
      return httpProbe(probe.action, timeoutMs);
    case "tcp":
      return tcpProbe(probe.action.host || "localhost", probe.action.port, timeoutMs);
  }
}

/** As the kubelet: 200–399 is a success; certificates are not verified. */
function httpProbe(
  action: Extract<Probe["action"], { type: "http" }>,
  timeoutMs: number,
): Promise<ProbeResult> {
  const send = action.scheme === "https" ? httpsRequest : httpRequest;
  const headers = Object.fromEntries(
    (action.headers ?? []).map(({ name, value }) => [name, value]),
  );
  return new Promise((resolve) => {
    const done = (success: boolean, message: string) => resolve({ success, message });
    const request = send(
      {
        host: action.host || "localhost",
        port: action.port,
        path: action.path.startsWith("/") ? action.path : `/${action.path}`,
        headers,
        rejectUnauthorized: false,
        agent: false,
      },
      ({ statusCode = 0 }) => {
        done(statusCode >= 200 && statusCode < 400, `HTTP status ${statusCode}`);
        request.destroy(); // the answer's body may have no end
      },
    );
    // For the whole of it: an answer that comes drop by drop is none.
    const timer = setTimeout(
      () => request.destroy(new Error(`timed out after ${timeoutMs / 1000}s`)),
      timeoutMs,
    );
    request.on("error", (error) => done(false, errorText(error)));
    request.on("close", () => clearTimeout(timer));
    request.end();
  });
}

function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const done = (success: boolean, message: string) => {
      socket.destroy();
      resolve({ success, message });
    };
    socket.on("connect", () => done(true, "connected"));
    socket.on("timeout", () => done(false, `timed out after ${timeoutMs / 1000}s`));
    socket.on("error", (error) => done(false, errorText(error)));
  });
}

/** Of several addresses that were tried Node names none in its message. */
function errorText(error: unknown): string {
  if (error instanceof AggregateError)
    return error.errors.map((one) => (one as Error).message).join("; ");
  return (error as Error).message;
}
