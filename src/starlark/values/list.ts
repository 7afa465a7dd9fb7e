import { fault } from "./fault.ts";
import { freeze } from "./freeze.ts";
import { type ReprWriter, repr } from "./repr.ts";
import type { StarlarkString } from "./text.ts";
import { StarlarkObject, type Value } from "./value.ts";

/** A JavaScript array that grows much longer ends the whole process: no error can be caught. */
export const MAX_ELEMENTS = 2 ** 26;

export function tooLong(count: number): Error {
  return fault(`excessive length: ${count} elements`);
}

/** Throws when there are more elements than an array can hold. */
export function checkElements(count: number): void {
  if (count > MAX_ELEMENTS) throw tooLong(count);
}

function writeElements(writer: ReprWriter, elems: readonly Value[]): void {
  for (let i = 0; i < elems.length; i++) {
    if (i > 0) writer.raw(", ");
    writer.write(elems[i]!);
  }
}

/** A list. `elems` is changed only through the methods, which refuse while frozen or iterated over. */
export class StarlarkList extends StarlarkObject {
  elems: Value[];
  frozen = false;
  /** The number of iterations under way. */
  locks = 0;

  /** Takes the array over: the caller must not change it afterwards. */
  constructor(elems: Value[]) {
    super();
    this.elems = elems;
  }

  get typeName(): string {
    return "list";
  }

  override writeRepr(writer: ReprWriter): void {
    writer.nested("[", "]", this, () => writeElements(writer, this.elems));
  }

  override repr(): StarlarkString {
    return repr(this);
  }

  override truth(): boolean {
    return this.elems.length > 0;
  }

  override hash(): number {
    throw fault("unhashable type: list");
  }

  override freeze(): void {
    freeze(this);
  }

  override freezeInto(pending: Value[]): void {
    if (this.frozen) return;
    this.frozen = true;
    for (const elem of this.elems) pending.push(elem);
  }

  override length(): number {
    return this.elems.length;
  }

  override iterate(): Iterable<Value> {
    return this.elems;
  }

  /** Throws if the list cannot change now; `verb` completes "cannot … list". */
  checkMutable(verb: string): void {
    if (this.frozen) throw fault(`cannot ${verb} frozen list`);
    if (this.locks > 0) throw fault(`cannot ${verb} list during iteration`);
  }

  append(value: Value): void {
    if (this.frozen || this.locks > 0) this.checkMutable("append to");
    if (this.elems.length >= MAX_ELEMENTS) checkElements(this.elems.length + 1);
    this.elems.push(value);
  }

  override get goTypeName(): string {
    return "*starlark.List";
  }
}

/** A tuple. */
export class StarlarkTuple extends StarlarkObject {
  readonly elems: readonly Value[];
  /** Kept once computed: tuples are often dict keys. */
  hashed: number | undefined = undefined;
  /** Whether the elements have been frozen. */
  frozen = false;

  /** Takes the array over: the caller must not change it afterwards. */
  constructor(elems: readonly Value[]) {
    super();
    this.elems = elems;
  }

  get typeName(): string {
    return "tuple";
  }

  override writeRepr(writer: ReprWriter): void {
    writer.raw("(");
    writeElements(writer, this.elems);
    writer.raw(this.elems.length === 1 ? ",)" : ")");
  }

  override repr(): StarlarkString {
    return repr(this);
  }

  override truth(): boolean {
    return this.elems.length > 0;
  }

  override freeze(): void {
    freeze(this);
  }

  override freezeInto(pending: Value[]): void {
    if (this.frozen) return;
    this.frozen = true;
    for (const elem of this.elems) pending.push(elem);
  }

  override length(): number {
    return this.elems.length;
  }

  override iterate(): Iterable<Value> {
    return this.elems;
  }

  override get goTypeName(): string {
    return "starlark.Tuple";
  }
}
