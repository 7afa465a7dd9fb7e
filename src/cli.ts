#!/usr/bin/env node
// The program's door: small, so that a command pays only for its own code (dist/*.cjs are loaded on demand).
import { bugReport } from "./cli/bug-report.ts";
import type { ProcessIo } from "./cli/io.ts";
import { EXIT } from "./model/result.ts";

declare const require: (file: string) => {
  main(argv: readonly string[], io: ProcessIo): Promise<number>;
  runStarlark(argv: readonly string[], io: ProcessIo): Promise<number>;
};

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const io: ProcessIo = {
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    return process.stdout;
  },
  get stderr() {
    return process.stderr;
  },
  env: process.env,
  cwd: process.cwd(),
  program: [process.execPath, process.argv[1] ?? ""],
  onSignal(listener) {
    for (const signal of SIGNALS) process.on(signal, listener);
    return () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    };
  },
  onCrash(listener) {
    process.on("uncaughtException", listener);
    return () => process.off("uncaughtException", listener);
  },
  exitNow: (code) => process.exit(code),
};

const argv = process.argv.slice(2);
/** As shells say it of a program whose reader has gone. */
const NO_READER = 128 + 13;

// Success is what a command says at its end: a process that runs out of things to wait for before that has none.
process.exitCode = EXIT.environment;
process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
  if (process.listenerCount("uncaughtException") > 1) return; // a run ends in its own way
  if (error?.code === "EPIPE") process.exit(NO_READER);
  process.stderr.write(bugReport(error, argv));
  process.exit(EXIT.environment);
});

const starlark = argv[0] === "help" && argv[1] === "starlark" ? ["starlark", "--help"] : argv;
const outcome =
  starlark[0] === "starlark"
    ? require("./starlark.cjs").runStarlark(starlark.slice(1), io)
    : require("./main.cjs").main(argv, io);
outcome.then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    // Nothing should get here: every expected error has been reported and turned into a code.
    process.stderr.write(bugReport(error, argv));
  },
);
