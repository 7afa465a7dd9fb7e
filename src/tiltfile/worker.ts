/* The entry of the Worker in which Tiltfiles are evaluated; evaluate-in-worker.ts starts it. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { evaluate } from "./evaluate.ts";
import type { ExecOptions, ExecOutcome, SyncHost } from "./options.ts";
import {
  type ExecAnswer,
  toPlainError,
  type WorkerInput,
  type WorkerMessage,
} from "./worker-protocol.ts";

const { options, gate, answers } = workerData as WorkerInput;
const flag = new Int32Array(gate);

function send(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

/** Asks the main thread to run a command and blocks until it has ended. */
function exec(argv: readonly string[], execOptions: ExecOptions): ExecOutcome {
  Atomics.store(flag, 0, 0);
  send({ type: "exec", argv, options: execOptions });
  Atomics.wait(flag, 0, 0);
  const answer = receiveMessageOnPort(answers)?.message as ExecAnswer | undefined;
  if (answer === undefined) throw new Error("the main thread gave no answer");
  if (answer.type === "refused") throw new Error(answer.message);
  return answer.outcome;
}

let toldOfCluster = false;

const sync: SyncHost = {
  exec,
  log: (line, level, warning) =>
    send({ type: "log", line, level, ...(warning === undefined ? {} : { warning }) }),
  needsCluster() {
    if (!toldOfCluster) send({ type: "needs-cluster" });
    toldOfCluster = true;
  },
};

try {
  send({ type: "plan", plan: evaluate(options, sync) });
} catch (error) {
  send({ type: "failed", error: toPlainError(error) });
}
