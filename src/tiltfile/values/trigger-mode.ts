import { Opaque } from "./opaque.ts";

/** TRIGGER_MODE_AUTO and TRIGGER_MODE_MANUAL. */
export class TriggerMode extends Opaque<"auto" | "manual"> {
  constructor(mode: "auto" | "manual") {
    super("TriggerMode", "tiltfile.triggerMode", `TRIGGER_MODE_${mode.toUpperCase()}`, mode);
  }

  override hash(): number {
    return this.content === "auto" ? 1 : 2;
  }
}

export const TRIGGER_MODE_AUTO = new TriggerMode("auto");
export const TRIGGER_MODE_MANUAL = new TriggerMode("manual");
