import { goTypeName, isInt, typeName, types, type Value } from "../../starlark/index.ts";
import { formatCommand, kinds, labelled, toCommand } from "../arguments.ts";
import type { BuiltinTable } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { inSemverRange } from "../go/semver-range.ts";
import { TILT_VERSION } from "../tilt-shim.ts";

const CI = {
  "k8s_grace_period?": kinds.duration,
  "timeout?": kinds.duration,
  "readiness_timeout?": kinds.duration,
} as const;

const UPDATE = {
  "max_parallel_updates?": types.value,
  "k8s_upsert_timeout_secs?": types.value,
  "suppress_unused_image_warnings?": kinds.textList,
  "k8s_server_side_apply?": types.string,
} as const;

const PRUNE = {
  "disable?": types.bool,
  "max_age_mins?": types.int,
  "num_builds?": types.int,
  "interval_hrs?": types.int,
  "keep_recent?": types.value,
} as const;

/** The settings of a run, and those of Tilt's session that a run checks and ignores. */
export function settingsBuiltins(evaluation: Evaluation): BuiltinTable {
  return { ...runSettings(evaluation), ...sessionSettings(evaluation) };
}

function runSettings(evaluation: Evaluation): BuiltinTable {
  const { settings } = evaluation;
  return {
    ci_settings(call) {
      const { k8s_grace_period, timeout, readiness_timeout } = call.unpack(CI);
      if (k8s_grace_period !== undefined) settings.ci.gracePeriodMs = k8s_grace_period;
      if (timeout !== undefined) settings.ci.timeoutMs = timeout;
      if (readiness_timeout !== undefined) settings.ci.readinessTimeoutMs = readiness_timeout;
      return null;
    },
    update_settings(call) {
      const given = call.unpack(UPDATE);
      const parallel = optionalInt("max_parallel_updates", given.max_parallel_updates);
      if (parallel !== undefined && parallel < 1) {
        throw new Error(`max number of parallel updates must be >= 1(got: ${parallel})`);
      }
      const upsert = optionalInt("k8s_upsert_timeout_secs", given.k8s_upsert_timeout_secs);
      if (upsert !== undefined && upsert < 1) {
        throw new Error(`minimum k8s upsert timeout is 1s; got ${upsert}s`);
      }
      const apply = given.k8s_server_side_apply;
      if (apply && apply !== "true" && apply !== "false" && apply !== "auto") {
        throw new Error(
          `k8s_server_side_apply must be one of "true", "false", or "auto"; got "${apply}"`,
        );
      }
      if (parallel !== undefined) settings.update.maxParallelUpdates = parallel;
      if (upsert !== undefined) settings.update.upsertTimeoutMs = upsert * 1000;
      if (apply) settings.update.serverSideApply = apply as "true" | "false" | "auto";
      evaluation.suppressUnusedImageWarnings.push(...(given.suppress_unused_image_warnings ?? []));
      return null;
    },
    secret_settings(call) {
      settings.scrubSecrets = !call.unpack({ disable_scrub: types.bool }).disable_scrub;
      return null;
    },
    version_settings(call) {
      const { constraint } = call.unpack({
        "check_updates?": types.bool,
        "constraint?": types.string,
      });
      if (constraint) checkVersion(evaluation.options.tiltVersion ?? TILT_VERSION, constraint);
      return null;
    },
  };
}

function checkVersion(version: string, constraint: string): void {
  const inRange = labelled("error parsing version constraint", () =>
    inSemverRange(version, constraint),
  );
  if (inRange) return;
  throw new Error(
    `you are running Tilt version ${version}, which doesn't match the version constraint specified in your Tiltfile: '${constraint}'`,
  );
}

function optionalInt(name: string, value: Value | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  return labelled(`update_settings: for parameter "${name}"`, () => {
    if (!isInt(value)) throw new Error(`got ${goTypeName(value)}, want int`);
    if (BigInt.asIntN(32, BigInt(value)) !== BigInt(value))
      throw new Error(`${value} out of range`);
    return Number(value);
  });
}

/** Checked as in Tilt, without effect on a run that ends. */
function sessionSettings(evaluation: Evaluation): BuiltinTable {
  let telemetryCommand: readonly string[] | undefined;
  return {
    watch_settings(call) {
      call.unpack({ "ignore?": kinds.textList });
      return null;
    },
    docker_prune_settings(call) {
      const { num_builds, interval_hrs, keep_recent } = call.unpack(PRUNE);
      if (num_builds && interval_hrs) {
        throw new Error(
          "can't specify both 'prune every X builds' and 'prune every Y hours'; please pass only one of `num_builds` and `interval_hrs`",
        );
      }
      if (keep_recent !== undefined && !isInt(keep_recent)) {
        throw new Error(`got ${typeName(keep_recent)}, want int`);
      }
      return null;
    },
    analytics_settings(call) {
      call.unpack({ enable: types.bool });
      return null;
    },
    experimental_analytics_report(call) {
      call.unpack({ tags: kinds.textMap });
      return null;
    },
    experimental_telemetry_cmd(call) {
      const { cmd, dir } = call.unpack({
        cmd: types.value,
        "cmd_bat?": types.value,
        "period?": kinds.duration,
        "dir?": types.value,
      });
      const { argv } = toCommand(evaluation, { command: cmd, dir });
      if (argv.length === 0) throw new Error("cmd cannot be empty");
      if (telemetryCommand !== undefined) {
        throw new Error(
          `${call.name} called multiple times; already set to ${formatCommand(telemetryCommand)}`,
        );
      }
      telemetryCommand = argv;
      return null;
    },
    // Tilt looks at no argument of it.
    experimental_metrics_settings(call) {
      evaluation.warn("experimental_metrics_settings() is deprecated", call.position());
      return null;
    },
  };
}
