import { fault } from "../values/fault.ts";

/* Time zones, by the tables of the JavaScript engine. */

/** The offset of a zone at a moment. */
export interface ZoneOffset {
  /** Seconds east of Greenwich. */
  readonly seconds: number;
  readonly abbreviation: string;
}

/** Where a time is shown. */
export interface Zone {
  readonly name: string;
  offsetAt(epochMilliseconds: number): ZoneOffset;
}

/** Greenwich. */
export const UTC: Zone = { name: "UTC", offsetAt: () => ({ seconds: 0, abbreviation: "UTC" }) };

/** A zone of one offset, as a time's text gives it. */
export function fixedZone(seconds: number): Zone {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  const digits =
    `${Math.floor(minutes / 60)}`.padStart(2, "0") +
    (minutes % 60 ? `${minutes % 60}`.padStart(2, "0") : "");
  const abbreviation = `${seconds < 0 ? "-" : "+"}${digits}`;
  return { name: "", offsetAt: () => ({ seconds, abbreviation }) };
}

function partsOf(format: Intl.DateTimeFormat, epochMilliseconds: number): Map<string, string> {
  return new Map(format.formatToParts(epochMilliseconds).map(({ type, value }) => [type, value]));
}

/** The zone of an IANA name. Throws `unknown time zone NAME`. */
export function loadZone(name: string): Zone {
  if (name === "" || name === "UTC") return UTC;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      timeZoneName: "short",
    });
  } catch {
    throw fault(`unknown time zone ${name}`);
  }
  return {
    name,
    offsetAt(epochMilliseconds) {
      const parts = partsOf(format, epochMilliseconds);
      const part = (type: string) => Number(parts.get(type));
      const local = Date.UTC(
        part("year"),
        part("month") - 1,
        part("day"),
        part("hour"),
        part("minute"),
        part("second"),
      );
      const seconds = Math.round((local - Math.floor(epochMilliseconds / 1000) * 1000) / 1000);
      return { seconds, abbreviation: parts.get("timeZoneName") ?? "" };
    },
  };
}
