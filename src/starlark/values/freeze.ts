import { StarlarkObject, type Value } from "./value.ts";

/** Makes a value and all that it holds immutable. Uses no stack, however deep the value is. */
export function freeze(value: Value): void {
  if (!(value instanceof StarlarkObject)) return;
  const pending: Value[] = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (!(next instanceof StarlarkObject)) continue;
    if (next.freezeInto) next.freezeInto(pending);
    else next.freeze();
  }
}
