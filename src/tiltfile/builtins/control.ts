import { formatPosition, type Position } from "../../model/position.ts";
import {
  EvaluationExit,
  fromJsString,
  goTypeName,
  isString,
  reprText,
  toJsString,
  types,
} from "../../starlark/index.ts";
import { kinds, oneOrMore } from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";

/** The flags that enable_feature and disable_feature know. None changes a run that ends. */
const FEATURES: ReadonlySet<string> = new Set([
  "bulk_disable_resources",
  "cluster_refresh",
  "disable_resources",
  "live_update_v2",
  "offline_snapshot_creation",
  "snapshots",
]);

/** Flags that once did something: Tilt warns of them. */
const OBSOLETE_FEATURES: ReadonlySet<string> = new Set([
  "events",
  "facets",
  "labels",
  "multiple_containers_per_pod",
  "update_history",
]);

/** fail, exit, warn, and the switches of a whole Tiltfile. */
export function controlBuiltins(evaluation: Evaluation): BuiltinTable {
  let triggerModeSetAt: Position | undefined;
  let teamId: string | undefined;
  const setFeature = (call: Call, name: string) => {
    if (OBSOLETE_FEATURES.has(name)) {
      evaluation.warn(`Obsolete feature flag: ${name}`, call.position());
    } else if (!FEATURES.has(name)) throw new Error(`Unknown feature flag: ${name}`);
    return null;
  };
  return {
    fail(call) {
      throw new Error(call.unpack({ msg: types.string }).msg);
    },
    warn(call) {
      evaluation.warn(call.unpack({ msg: types.string }).msg, call.position());
      return null;
    },
    exit(call) {
      const { code } = call.unpack({ "code?": types.value });
      if (code !== undefined && code !== null) {
        const shown = reprText(code);
        if (shown !== "") evaluation.log(shown);
      }
      throw new EvaluationExit(code ?? null);
    },
    trigger_mode(call) {
      const { trigger_mode } = call.unpack({ trigger_mode: kinds.triggerMode });
      if (triggerModeSetAt !== undefined) {
        throw new Error(
          `${call.name} can only be called once. It was already called at ${formatPosition(triggerModeSetAt)}`,
        );
      }
      evaluation.triggerMode = trigger_mode;
      triggerModeSetAt = call.site();
      return null;
    },
    enable_feature: (call) => setFeature(call, call.unpack({ msg: types.string }).msg),
    disable_feature: (call) => setFeature(call, call.unpack({ msg: types.string }).msg),
    disable_snapshots(call) {
      call.unpack({});
      return setFeature(call, "snapshots");
    },
    set_team(call) {
      const { team_id } = call.unpack({ team_id: types.string });
      if (team_id === "") throw new Error("team_id cannot be empty");
      if (teamId !== undefined) {
        throw new Error(`team_id set multiple times (to '${teamId}' and '${team_id}')`);
      }
      teamId = team_id;
      return null;
    },
    allow_k8s_contexts: (call) => allowContexts(evaluation, call),
    // Tilt looks at no argument of these two.
    k8s_context: () => fromJsString(evaluation.options.kubeContext.name),
    k8s_namespace: () => fromJsString(evaluation.options.kubeContext.namespace),
  };
}

function allowContexts(evaluation: Evaluation, call: Call): null {
  const { contexts } = call.unpack({ contexts: types.value });
  const names = oneOrMore(contexts).map((context) => {
    if (isString(context)) return toJsString(context);
    throw new Error(
      `allow_k8s_contexts contexts must be a string or a sequence of strings; found a ${goTypeName(context)}`,
    );
  });
  evaluation.settings.allowedContexts.push(...names);
  return null;
}
