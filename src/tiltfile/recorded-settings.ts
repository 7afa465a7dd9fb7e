import type { Settings } from "../model/plan.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The plan's settings while the Tiltfile may still change them. */
export type SettingsInProgress = {
  readonly ci: Mutable<Settings["ci"]>;
  readonly update: Mutable<Settings["update"]>;
  defaultRegistry?: Settings["defaultRegistry"];
  readonly allowedContexts: string[];
  scrubSecrets: boolean;
};

export function initialSettings(): SettingsInProgress {
  return { ci: {}, update: {}, allowedContexts: [], scrubSecrets: true };
}

export function finishSettings(settings: SettingsInProgress): Settings {
  const { ci, update, defaultRegistry, allowedContexts, scrubSecrets } = settings;
  return {
    ci,
    update,
    ...(defaultRegistry === undefined ? {} : { defaultRegistry }),
    allowedContexts,
    scrubSecrets,
  };
}
