import type { Cell } from "../values/function.ts";
import type { Value } from "../values/value.ts";

/** The variables of a running function: its locals, then the cells of its free variables. Undefined is unset. */
export type Frame = (Value | Cell | undefined)[];

/** A compiled expression. */
export type Evaluate = (frame: Frame) => Value;

/** A compiled condition. */
export type Test = (frame: Frame) => boolean;

/** What became of a statement: undefined to go on, BREAK, CONTINUE, or the value that the function returns. */
export type Completion = Value | Signal | undefined;

/** A compiled statement. */
export type Execute = (frame: Frame) => Completion;

/** Tells an enclosing loop what to do. */
class Signal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export type { Signal };

/** The loop ends. */
export const BREAK = new Signal("break");

/** The loop goes on with its next turn. */
export const CONTINUE = new Signal("continue");

/** A frame of so many unset variables. Literals of a fixed size are what V8 allocates fastest. */
export function newFrame(size: number): Frame {
  const u = undefined;
  switch (size) {
    case 0:
      return [];
    case 1:
      return [u];
    case 2:
      return [u, u];
    case 3:
      return [u, u, u];
    case 4:
      return [u, u, u, u];
    case 5:
      return [u, u, u, u, u];
    case 6:
      return [u, u, u, u, u, u];
    case 7:
      return [u, u, u, u, u, u, u];
    case 8:
      return [u, u, u, u, u, u, u, u];
    case 9:
    case 10:
    case 11:
    case 12:
      return [u, u, u, u, u, u, u, u, u, u, u, u];
    default:
      return new Array<undefined>(size).fill(u);
  }
}
