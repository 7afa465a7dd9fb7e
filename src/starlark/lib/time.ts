import { types, type Unpacker, unpack, unpackPositional } from "../eval/unpack.ts";
import { fault } from "../values/fault.ts";
import { makeBuiltin } from "../values/function.ts";
import { hashText } from "../values/hash.ts";
import { makeInt } from "../values/int.ts";
import { typeName } from "../values/repr.ts";
import { StarlarkModule } from "../values/struct.ts";
import { fromJsString, type StarlarkString } from "../values/text.ts";
import { type BinaryOperator, StarlarkObject, type Value } from "../values/value.ts";
import { Duration, parseDuration } from "./duration.ts";
import { type Fields, formatTime, parseTime } from "./time-layout.ts";
import { fixedZone, loadZone, UTC, type Zone } from "./time-zone.ts";

const BILLION = 1_000_000_000n;
const RFC3339 = "2006-01-02T15:04:05Z07:00";

/** Nanoseconds from the epoch to January 1 of the year 1, Go's zero time. */
const ZERO_TIME = -62135596800n * BILLION;

function epochSeconds(
  t: Pick<Fields, "year" | "month" | "day" | "hour" | "minute" | "second">,
): bigint {
  const date = new Date(0);
  date.setUTCFullYear(t.year, t.month - 1, t.day);
  date.setUTCHours(t.hour, t.minute, t.second);
  return BigInt(date.getTime()) / 1000n;
}

/** The moment at which the clocks of a zone show the fields. */
function inZone(t: Fields, zone: Zone): Time {
  const local = epochSeconds(t);
  let offset = zone.offsetAt(Number(local) * 1000).seconds;
  offset = zone.offsetAt((Number(local) - offset) * 1000).seconds;
  return new Time((local - BigInt(offset)) * BILLION + BigInt(t.nanosecond), zone);
}

/** A moment, and the zone in which it is shown. */
export class Time extends StarlarkObject {
  /** Since the epoch. */
  readonly nanoseconds: bigint;
  readonly zone: Zone;

  constructor(nanoseconds: bigint, zone: Zone) {
    super();
    this.nanoseconds = nanoseconds;
    this.zone = zone;
  }

  get typeName(): string {
    return "time.time";
  }

  #fields(): Fields {
    const seconds =
      (this.nanoseconds - (((this.nanoseconds % BILLION) + BILLION) % BILLION)) / BILLION;
    const { seconds: offset, abbreviation } = this.zone.offsetAt(Number(seconds) * 1000);
    const date = new Date((Number(seconds) + offset) * 1000);
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      nanosecond: Number(this.nanoseconds - seconds * BILLION),
      offset,
      abbreviation,
    };
  }

  format(layout: string): StarlarkString {
    return fromJsString(formatTime(layout, this.#fields()));
  }

  override repr(): StarlarkString {
    return this.format("2006-01-02 15:04:05.999999999 -0700 MST");
  }

  override truth(): boolean {
    return this.nanoseconds !== ZERO_TIME;
  }

  override hash(): number {
    return hashText(this.nanoseconds.toString());
  }

  override equals(other: Value): boolean {
    return other instanceof Time && other.nanoseconds === this.nanoseconds;
  }

  override compare(other: Value): number {
    const theirs = (other as Time).nanoseconds;
    return this.nanoseconds < theirs ? -1 : this.nanoseconds > theirs ? 1 : 0;
  }

  override attrNames(): string[] {
    const fields = [
      "year",
      "month",
      "day",
      "hour",
      "minute",
      "second",
      "nanosecond",
      "unix",
      "unix_nano",
    ];
    return ["format", "in_location", ...fields];
  }

  override getAttr(name: string): Value | undefined {
    switch (name) {
      case "year":
      case "month":
      case "day":
      case "hour":
      case "minute":
      case "second":
      case "nanosecond":
        return this.#fields()[name];
      case "unix":
        return makeInt(this.nanoseconds / BILLION);
      case "unix_nano":
        return makeInt(this.nanoseconds);
      case "format":
        return makeBuiltin("format", (_thread, args, kwargs) => {
          const [layout] = unpackPositional("format", args, kwargs, 1, [types.string]);
          return this.format(layout!);
        }).bind(this);
      case "in_location":
        return makeBuiltin("in_location", (_thread, args, kwargs) => {
          const [zone] = unpackPositional("in_location", args, kwargs, 1, [types.string]);
          return new Time(this.nanoseconds, loadZone(zone!));
        }).bind(this);
      default:
        return undefined;
    }
  }

  override binary(op: BinaryOperator, other: Value, side: "left" | "right"): Value | undefined {
    if (op === "+" && other instanceof Duration)
      return new Time(this.nanoseconds + other.nanoseconds, this.zone);
    if (op !== "-" || side === "right") return undefined;
    if (other instanceof Duration) return new Time(this.nanoseconds - other.nanoseconds, this.zone);
    return other instanceof Time ? new Duration(this.nanoseconds - other.nanoseconds) : undefined;
  }
}

const duration: Unpacker<Duration> = (value) => {
  if (value instanceof Duration) return value;
  if (typeof value === "string") return new Duration(parseDuration(value));
  throw fault(`got ${typeName(value)}, want a duration, string, or int`);
};

function parse(text: string, layout: string, location: string): Time {
  const t = parseTime(layout, text);
  return inZone(
    t,
    t.offset === undefined ? loadZone(location) : t.offset === 0 ? UTC : fixedZone(t.offset),
  );
}

const newTime = makeBuiltin("time", (_thread, args, kwargs) => {
  const t = unpack("time", args, kwargs, {
    "year?": types.int,
    "month?": types.int,
    "day?": types.int,
    "hour?": types.int,
    "minute?": types.int,
    "second?": types.int,
    "nanosecond?": types.int,
    "location?": types.string,
  });
  if (args.length > 0) throw fault("time: unexpected positional arguments");
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, nanosecond = 0 } = t;
  const fields = {
    year,
    month,
    day,
    hour,
    minute,
    second,
    nanosecond,
    offset: undefined,
    abbreviation: "",
  };
  return inZone(fields, loadZone(t.location ?? ""));
});

const isValidTimezone = makeBuiltin("is_valid_timezone", (_thread, args, kwargs) => {
  const [name] = unpackPositional("is_valid_timezone", args, kwargs, 1, [types.string]);
  try {
    loadZone(name!);
    return true;
  } catch {
    return false;
  }
});

/** starlark-go's time module. */
export function makeTimeModule(): StarlarkModule {
  return new StarlarkModule("time", {
    from_timestamp: makeBuiltin("from_timestamp", (_thread, args, kwargs) => {
      const [s, ns = 0n] = unpackPositional("from_timestamp", args, kwargs, 1, [
        types.bigint,
        types.bigint,
      ]);
      return new Time(s! * BILLION + ns, UTC);
    }),
    is_valid_timezone: isValidTimezone,
    now: makeBuiltin("now", () => new Time(BigInt(Date.now()) * 1_000_000n, UTC)),
    parse_duration: makeBuiltin("parse_duration", (_thread, args, kwargs) => {
      return unpackPositional("parse_duration", args, kwargs, 1, [duration])[0]!;
    }),
    parse_time: makeBuiltin("parse_time", (_thread, args, kwargs) => {
      const spec = { x: types.string, "format?": types.string, "location?": types.string } as const;
      const { x, format, location } = unpack("parse_time", args, kwargs, spec);
      return parse(x, format ?? RFC3339, location ?? "UTC");
    }),
    time: newTime,
    nanosecond: new Duration(1n),
    microsecond: new Duration(1000n),
    millisecond: new Duration(1_000_000n),
    second: new Duration(BILLION),
    minute: new Duration(60n * BILLION),
    hour: new Duration(3600n * BILLION),
  });
}
