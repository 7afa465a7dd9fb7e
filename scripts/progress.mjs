// Running commands, with progress on stderr: every step that takes longer than 2 s says what it is doing.
import { spawn } from "node:child_process";
import { constants } from "node:os";

const slowMs = 2000;

/** The exit code by the signal that came during a step. @type {number | undefined} */
let interrupted;

/** @param {string} text */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** @param {number} sinceMs epoch milliseconds */
export function secondsSince(sinceMs) {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}

/**
 * @typedef {object} RunOptions
 * @property {NodeJS.ProcessEnv} [env]
 * @property {string} [cwd]
 * @property {"nothing" | "errors" | "everything"} [show] which output goes to the terminal as it comes
 * @property {boolean} [afterSignal] run it even when an earlier command was ended by a signal to this process
 *
 * @typedef {object} Outcome
 * @property {number} exitCode 127 when there is no such program, 128 + n when signal n ended it
 * @property {string} stdout empty when everything was shown
 * @property {string} stderr empty when everything was shown
 */

/**
 * Runs a command to its end; never rejects. SIGTERM to this process is handed on (a terminal's SIGINT goes to the
 * command by itself), and after either the next call ends the process.
 * @param {string} text what is being done
 * @param {readonly string[]} argv
 * @param {RunOptions} [options]
 * @returns {Promise<Outcome>}
 */
export function run(
  text,
  [program = "", ...args],
  { env = process.env, cwd, show = "nothing", afterSignal = false } = {},
) {
  if (interrupted !== undefined && !afterSignal) process.exit(interrupted);
  const started = Date.now();
  const slow = setTimeout(() => say(`${text} …`), slowMs);
  const output = { stdout: "", stderr: "" };
  const child = spawn(program, args, {
    cwd,
    env,
    stdio: ["ignore", ...Array(2).fill(show === "everything" ? "inherit" : "pipe")],
    shell: process.platform === "win32", // npm and npx are batch files there
  });
  child.stdout?.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    output.stderr += chunk;
    if (show === "errors") process.stderr.write(chunk);
  });
  const handOn = (/** @type {NodeJS.Signals} */ signal) => {
    interrupted = 128 + constants.signals[signal];
    if (signal !== "SIGINT") child.kill(signal);
  };
  process.on("SIGINT", handOn).on("SIGTERM", handOn);
  return new Promise((resolve) => {
    const end = (/** @type {number} */ exitCode) => {
      clearTimeout(slow);
      process.off("SIGINT", handOn).off("SIGTERM", handOn);
      if (Date.now() - started >= slowMs) say(`${text}: ${secondsSince(started)}`);
      resolve({ exitCode, ...output });
    };
    child.on("error", (error) => {
      output.stderr += `${error.message}\n`;
      end(127);
    });
    child.on("close", (code, signal) => end(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
}
