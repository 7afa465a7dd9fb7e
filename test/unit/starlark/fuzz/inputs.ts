import { mutateProgram } from "./mutate.ts";
import { generateProgram } from "./program.ts";

/** Inputs made of one generated program: itself, and mutants of it. As many are mutants of real ones. */
const MUTANTS = 3;
const TURN = 2 * (1 + MUTANTS);

let latest = { turn: -1, program: "" };

/** Its mutants follow a program, so the latest is kept. */
function programOf(turn: number): string {
  if (latest.turn !== turn) latest = { turn, program: generateProgram(turn) };
  return latest.program;
}

/** The input of a seed: a random program, such a program with changes, or a real one with changes, in turn. */
export function fuzzInput(seed: number, corpus: readonly string[]): string {
  const turn = Math.floor(seed / TURN);
  const place = seed % TURN;
  if (place === 0) return programOf(turn);
  if (place <= MUTANTS) return mutateProgram(programOf(turn), seed);
  return mutateProgram(corpus[seed % corpus.length]!, seed);
}
