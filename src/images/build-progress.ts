/** Reads what a builder prints (`--progress=plain` of BuildKit, or the classic builder) for what a run wants to know. */

/** A step of a build that has ended. Times are epoch milliseconds of its first and last line. */
export interface BuildStep {
  readonly name: string;
  readonly startedAt: number;
  readonly at: number;
}

/** Why a build failed, as far as its output tells. */
export interface BuildError {
  /** `RUN false: process "/bin/sh -c false" did not complete successfully: exit code: 1` */
  readonly message: string;
  /** What the builder said, unabridged. */
  readonly cause: string;
  /** The failing step's last output and the Dockerfile around it. */
  readonly detail: string;
  /** 1-based line of the Dockerfile. */
  readonly line?: number;
  /** The step ran and failed: no matter of network or daemon. */
  readonly stepFailed: boolean;
}

interface Vertex {
  readonly name: string;
  readonly startedAt: number;
  cached: boolean;
}

const MAX_TAIL = 200;
const DETAIL_LINES = 60;
const INSTRUCTION = /^\[(?:[^\]]* )?\d+\/\d+\] (?!FROM )(.*)/;

/** Collects one build's output, line by line. */
export class BuildProgress {
  readonly #now: () => number;
  readonly #onStep: (step: BuildStep) => void;
  readonly #vertices = new Map<string, Vertex>();
  readonly #tail: string[] = [];
  #instructions = 0;
  #cachedInstructions = 0;

  constructor(now: () => number, onStep: (step: BuildStep) => void) {
    this.#now = now;
    this.#onStep = onStep;
  }

  add(line: string): void {
    this.#tail.push(line);
    if (this.#tail.length > MAX_TAIL) this.#tail.shift();
    const match = /^#(\d+) (.*)$/.exec(line);
    if (match) this.#addVertexLine(match[1]!, match[2]!);
    else if (/^ ---> Using cache/.test(line)) this.#cachedInstructions += 1;
    else if (/^Step \d+\/\d+ : (?!FROM |ARG )/i.test(line)) this.#instructions += 1;
  }

  #addVertexLine(id: string, text: string): void {
    const vertex = this.#vertices.get(id);
    if (!vertex) {
      this.#vertices.set(id, { name: text, startedAt: this.#now(), cached: false });
      if (INSTRUCTION.test(text)) this.#instructions += 1;
      return;
    }
    if (text === "CACHED" && !vertex.cached) {
      vertex.cached = true;
      if (INSTRUCTION.test(vertex.name)) this.#cachedInstructions += 1;
    }
    const done = /^(?:DONE (\d+(?:\.\d+)?)s|ERROR: )/.exec(text);
    if (!done) return;
    // Quick steps are printed when they are over: what they took is in the line.
    const at = this.#now();
    const took = done[1] === undefined ? 0 : Number(done[1]) * 1000;
    this.#onStep({ name: vertex.name, startedAt: Math.min(vertex.startedAt, at - took), at });
  }

  /** Every instruction came from the cache. */
  get cached(): boolean {
    return this.#cachedInstructions === this.#instructions;
  }

  /** What the output says of a build that failed. */
  error(): BuildError {
    const lines = this.#tail;
    const last = lines.findLast((line) => /^(?:ERROR|Error response from daemon): /.test(line));
    const cause = (last ?? lines.findLast((line) => line.trim() !== "") ?? "no output").replace(
      /^(?:ERROR|Error response from daemon): /,
      "",
    );
    const short = cleanError(cause);
    const instruction = failedInstruction(lines);
    const line = />>> /.test(lines.join("\n")) ? dockerfileLine(lines) : undefined;
    return {
      message: instruction ? `${shorten(instruction)}: ${ownWords(short)}` : short,
      cause,
      detail: detailOf(lines),
      ...(line === undefined ? {} : { line }),
      stepFailed: /did not complete successfully|returned a non-zero code/.test(cause),
    };
  }
}

/** BuildKit's wrappings taken off: what is left is what the user can act on. */
function cleanError(text: string): string {
  return text
    .replace(/^failed to solve: /, "")
    .replace(/^(?:rpc error: code = \w+ desc = )+/, "")
    .replace(/^failed to (?:compute cache key|build LLB|load cache key): /, "")
    .replace(/failed to calculate checksum of ref \S+: /, "")
    .replace(/failed to walk \S+: lstat (?:\S*buildkit-[^/]*\/)?/, "");
}

const MAX_INSTRUCTION = 100;

/** The beginning of a long instruction: the whole is in the detail. */
function shorten(instruction: string): string {
  return instruction.length <= MAX_INSTRUCTION
    ? instruction
    : `${instruction.slice(0, MAX_INSTRUCTION).replace(/[\s\ud800-\udbff]+$/, "")} …`;
}

/** How a step ended, without the command that the instruction before it has said already. */
function ownWords(error: string): string {
  return error.replace(/^process ".*" did not complete successfully: /s, "");
}

/** The instruction under ` > [2/2] RUN false:`, or the classic builder's last `Step`. */
function failedInstruction(lines: readonly string[]): string | undefined {
  const header = lines.findLast((line) => /^ > .*:$/.test(line));
  if (header) return INSTRUCTION.exec(header.slice(3, -1))?.[1];
  return lines.findLast((line) => /^Step \d+\/\d+ : /.test(line))?.replace(/^Step \S+ : /, "");
}

/** `Dockerfile:2` above the excerpt. */
function dockerfileLine(lines: readonly string[]): number | undefined {
  const marked = lines.find((line) => /^\s*\d+ \| >>> /.test(line));
  const number = /^\s*(\d+) \|/.exec(marked ?? "")?.[1];
  return number === undefined ? undefined : Number(number);
}

function detailOf(lines: readonly string[]): string {
  const start = lines.indexOf("------");
  const from = start < 0 ? lines.slice(-30) : lines.slice(start);
  return from.slice(-DETAIL_LINES).join("\n").trim();
}
