import { fault } from "../values/fault.ts";
import { quote } from "../values/quote.ts";

/* Go's layouts: a text that shows the moment Mon Jan 2 15:04:05 MST 2006 in the wanted form. */

/** A moment as the fields that a calendar and a clock show. */
export interface Fields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  /** Seconds east of Greenwich; undefined in a text that names no zone. */
  offset: number | undefined;
  abbreviation: string;
}

const MONTHS =
  "January February March April May June July August September October November December".split(
    " ",
  );
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

const ELEMENT =
  /January|Jan|Monday|Mon|MST|2006|Z07:00|Z0700|-07:00|-0700|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|01|02|03|04|05|06|15|PM|pm|_2|1|2|3|4|5/g;

function pad(n: number, width: number): string {
  return `${n}`.padStart(width, "0");
}

function formatOffset(seconds: number, element: string): string {
  if (element.startsWith("Z") && seconds === 0) return "Z";
  const minutes = Math.floor(Math.abs(seconds) / 60);
  const sign = seconds < 0 ? "-" : "+";
  if (element === "-07") return `${sign}${pad(Math.floor(minutes / 60), 2)}`;
  return `${sign}${pad(Math.floor(minutes / 60), 2)}${element.includes(":") ? ":" : ""}${pad(minutes % 60, 2)}`;
}

function formatElement(element: string, t: Fields): string {
  const hour12 = t.hour % 12 === 0 ? 12 : t.hour % 12;
  switch (element) {
    case "2006":
      return pad(t.year, 4);
    case "06":
      return pad(t.year % 100, 2);
    case "January":
      return MONTHS[t.month - 1]!;
    case "Jan":
      return MONTHS[t.month - 1]!.slice(0, 3);
    case "01":
      return pad(t.month, 2);
    case "1":
      return `${t.month}`;
    case "Monday":
    case "Mon": {
      const day = DAYS[new Date(Date.UTC(t.year, t.month - 1, t.day)).getUTCDay()]!;
      return element === "Mon" ? day.slice(0, 3) : day;
    }
    case "02":
      return pad(t.day, 2);
    case "_2":
      return `${t.day}`.padStart(2);
    case "2":
      return `${t.day}`;
    case "15":
      return pad(t.hour, 2);
    case "03":
      return pad(hour12, 2);
    case "3":
      return `${hour12}`;
    case "04":
      return pad(t.minute, 2);
    case "4":
      return `${t.minute}`;
    case "05":
      return pad(t.second, 2);
    case "5":
      return `${t.second}`;
    case "PM":
      return t.hour >= 12 ? "PM" : "AM";
    case "pm":
      return t.hour >= 12 ? "pm" : "am";
    case "MST":
      return t.abbreviation;
  }
  if (/^[.,]/.test(element)) return formatFraction(element, t.nanosecond);
  return formatOffset(t.offset ?? 0, element);
}

function formatFraction(element: string, nanosecond: number): string {
  const digits = pad(nanosecond, 9).slice(0, element.length - 1);
  if (element[1] === "0") return element[0] + digits;
  const trimmed = digits.replace(/0+$/, "");
  return trimmed === "" ? "" : element[0] + trimmed;
}

/** Time.Format. */
export function formatTime(layout: string, t: Fields): string {
  return layout.replace(ELEMENT, (element) => formatElement(element, t));
}

const PATTERNS = new Map([
  ["2006", "(\\d{4})"],
  ["06", "(\\d{2})"],
  ["January", `(${MONTHS.join("|")})`],
  ["Jan", `(${MONTHS.map((m) => m.slice(0, 3)).join("|")})`],
  ["Monday", `(${DAYS.join("|")})`],
  ["Mon", `(${DAYS.map((d) => d.slice(0, 3)).join("|")})`],
  ["PM", "(AM|PM)"],
  ["pm", "(am|pm)"],
  ["MST", "([A-Z]{3,5}|[+-]\\d{2})"],
  ["Z07:00", "(Z|[+-]\\d{2}:\\d{2})"],
  ["Z0700", "(Z|[+-]\\d{4})"],
  ["-07:00", "([+-]\\d{2}:\\d{2})"],
  ["-0700", "([+-]\\d{4})"],
  ["-07", "([+-]\\d{2})"],
]);

function patternOf(element: string): string {
  const known = PATTERNS.get(element);
  if (known !== undefined) return known;
  if (/^[.,]9/.test(element)) return "((?:[.,]\\d+)?)";
  if (/^[.,]0/.test(element)) return `([.,]\\d{${element.length - 1}})`;
  if (element === "05" || element === "5") return "(\\d{1,2}(?:[.,]\\d+)?)";
  return element.startsWith("0") || element === "15" ? "(\\d{2})" : "\\s*(\\d{1,2})";
}

function parseOffset(text: string): number {
  if (text === "Z") return 0;
  const [, sign, hours, minutes = "0"] = /^([+-])(\d{2}):?(\d{2})?$/.exec(text)!;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}

function fractionOf(text: string): number {
  return Number(text.slice(1, 10).padEnd(9, "0"));
}

function readElement(element: string, text: string, t: Fields): void {
  switch (element) {
    case "2006":
      t.year = Number(text);
      return;
    case "06":
      t.year = Number(text) + (Number(text) >= 69 ? 1900 : 2000);
      return;
    case "January":
    case "Jan":
      t.month = MONTHS.findIndex((month) => month.startsWith(text)) + 1;
      return;
    case "01":
    case "1":
      t.month = Number(text);
      return;
    case "02":
    case "_2":
    case "2":
      t.day = Number(text);
      return;
    case "15":
    case "03":
    case "3":
      t.hour = Number(text);
      return;
    case "04":
    case "4":
      t.minute = Number(text);
      return;
    case "05":
    case "5":
      t.second = Math.trunc(Number(text.slice(0, 2)));
      if (/[.,]/.test(text)) t.nanosecond = fractionOf(text.slice(text.search(/[.,]/)));
      return;
    case "MST":
      t.abbreviation = text;
      if (text === "UTC") t.offset = 0;
      return;
    case "PM":
    case "pm":
      t.hour = (t.hour % 12) + (text.toUpperCase() === "PM" ? 12 : 0);
      return;
    case "Monday":
    case "Mon":
      return;
  }
  if (/^[.,]/.test(element)) {
    if (text !== "") t.nanosecond = fractionOf(text);
  } else t.offset = parseOffset(text);
}

/** Time.Parse. Throws a plain Error for a text that does not have the layout. */
export function parseTime(layout: string, text: string): Fields {
  const elements: string[] = [];
  let pattern = "";
  let at = 0;
  for (const match of layout.matchAll(ELEMENT)) {
    pattern += escapePattern(layout.slice(at, match.index)) + patternOf(match[0]);
    elements.push(match[0]);
    at = match.index + match[0].length;
  }
  pattern += escapePattern(layout.slice(at));
  const found = new RegExp(`^${pattern}$`).exec(text);
  if (found === null) {
    throw fault(
      `parsing time ${quote(text, false)} as ${quote(layout, false)}: cannot parse ${quote(text, false)}`,
    );
  }
  const t: Fields = {
    year: 0,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    nanosecond: 0,
    offset: undefined,
    abbreviation: "",
  };
  elements.forEach((element, i) => {
    readElement(element, found[i + 1]!, t);
  });
  return t;
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
