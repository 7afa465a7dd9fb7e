import { PassThrough, Readable, Writable } from "node:stream";
import type { ProcessIo } from "../../../src/cli/io.ts";

/** A process of a test's own: what it printed, and how to signal it. */
export interface FakeProcess extends ProcessIo {
  readonly out: () => string;
  readonly err: () => string;
  readonly signal: (name: "SIGINT" | "SIGTERM" | "SIGHUP") => void;
}

/** A process in `cwd` with nothing but `env`, PATH and `stdin`. */
export function fakeProcess(
  cwd: string,
  {
    env = {},
    stdin = "",
  }: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string } = {},
): FakeProcess {
  const texts = { out: "", err: "" };
  const listeners = new Set<(name: "SIGINT" | "SIGTERM" | "SIGHUP") => void>();
  const sink = (name: "out" | "err") =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        texts[name] += chunk.toString("utf8");
        done();
      },
    });
  return {
    stdin: stdin === "" ? new PassThrough().end() : Readable.from([Buffer.from(stdin)]),
    stdout: sink("out"),
    stderr: sink("err"),
    env: { PATH: process.env.PATH, ...env },
    cwd,
    program: ["/usr/bin/node", "/opt/tilt-ci/dist/cli.cjs"],
    onSignal(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    exitNow(code) {
      throw new Error(`exit ${code}`);
    },
    out: () => texts.out,
    err: () => texts.err,
    signal: (name) => {
      for (const listener of listeners) listener(name);
    },
  };
}
