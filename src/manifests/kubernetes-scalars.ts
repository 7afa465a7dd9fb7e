/** Texts with rules of their own in Kubernetes objects. Each check gives Go's error, or undefined when all is well. */

const QUANTITY_WRONG =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX = /^(?:|[numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]{1,18})$/;

/** `resource.ParseQuantity`. */
export function checkQuantity(text: string): string | undefined {
  const match = /^([-+]?)([0-9]*)(?:(\.)([0-9]*))?(.*)$/s.exec(text);
  if (match === null) return QUANTITY_WRONG;
  const [, , integer = "", , fraction = "", suffix = ""] = match;
  if (!/^[eEinumkKMGTP]*[-+]?[0-9]*$/.test(suffix) || text === "") return QUANTITY_WRONG;
  if (integer === "" && fraction === "") return QUANTITY_WRONG;
  return SUFFIX.test(suffix) ? undefined : "unable to parse quantity's suffix";
}

/** The padded standard alphabet of `base64.StdEncoding`; line breaks do not count. */
export function checkBase64(text: string): string | undefined {
  const bytes = /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text).toString("latin1");
  let at = 0;
  const skipBreaks = () => {
    while (bytes[at] === "\n" || bytes[at] === "\r") at += 1;
  };
  for (let inQuantum = 0; ; inQuantum = (inQuantum + 1) % 4) {
    skipBreaks();
    const char = bytes[at];
    if (char === undefined) return inQuantum === 0 ? undefined : corrupt(at - inQuantum);
    if (/[A-Za-z0-9+/]/.test(char)) {
      at += 1;
      continue;
    }
    if (char !== "=" || inQuantum < 2) return corrupt(at);
    at += 1;
    if (inQuantum === 2) {
      skipBreaks();
      if (at === bytes.length) return corrupt(at);
      if (bytes[at] !== "=") return corrupt(at - 1);
      at += 1;
    }
    skipBreaks();
    return at < bytes.length ? corrupt(at) : undefined;
  }
}

function corrupt(offset: number): string {
  return `illegal base64 data at input byte ${offset}`;
}

const TIME =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,]\d+)?(?:Z|[-+](\d{2}):(\d{2}))$/;

/** An RFC 3339 time. The part that Go names as wrong is found for the usual mistakes. */
export function checkTime(text: string, layout: string): string | undefined {
  const match = TIME.exec(text);
  if (match === null)
    return `parsing time ${JSON.stringify(text)} as "${layout}": ${mismatch(text)}`;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const wrong =
    month < 1 || month > 12
      ? "month"
      : day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()
        ? "day"
        : hour > 23
          ? "hour"
          : minute > 59
            ? "minute"
            : second > 59
              ? "second"
              : undefined;
  if (wrong === undefined) return undefined;
  return `parsing time ${JSON.stringify(text)}: ${wrong} out of range`;
}

/** Elements of the layout with the texts they take. */
const TIME_PARTS: readonly (readonly [element: string, pattern: RegExp])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d{2}/],
  ["-", /^-/],
  ["02", /^\d{2}/],
  ["T", /^T/],
  ["15", /^\d{2}/],
  [":", /^:/],
  ["04", /^\d{2}/],
  [":", /^:/],
  ["05", /^\d{2}(?:[.,]\d+)?/],
  ["Z07:00", /^(?:Z|[-+]\d{2}:\d{2})/],
];

function mismatch(text: string): string {
  let rest = text;
  for (const [element, pattern] of TIME_PARTS) {
    const match = pattern.exec(rest);
    if (match === null) return `cannot parse ${JSON.stringify(rest)} as "${element}"`;
    rest = rest.slice(match[0].length);
  }
  return `extra text: ${JSON.stringify(rest)}`;
}

/** A number as encoding/json writes it. */
export function formatJsonNumber(value: number | bigint): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
