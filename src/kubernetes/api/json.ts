const MARK = "\u0001int:";

/** JSON text of a value that may hold `bigint`s: YAML knows integers that a double does not. */
export function toJson(value: unknown): string {
  let large = false;
  const text = JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== "bigint") return item;
    large = true;
    return `${MARK}${item}`;
  });
  return large ? text.replace(/"\\u0001int:(-?\d+)"/g, "$1") : text;
}
