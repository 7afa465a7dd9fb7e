import type { ReasonCode } from "../model/reason.ts";
import {
  CLUSTER_SUBJECT,
  type Failure,
  PHASES,
  type PhaseStatus,
  TILTFILE_SUBJECT,
} from "../model/result.ts";
import { type PhaseId, phaseKey } from "./log-path.ts";
import {
  findInOutput,
  findInSettings,
  type Mention,
  namePattern,
  tellsOfNoConnection,
} from "./mentions.ts";

/*
 * Which failures are causes and which are echoes. A failure is an echo of another one when that one can have brought it
 * about (time, kind of failure) and its own evidence says so (its output, arguments or environment name the other, or
 * it depends on it). What nothing explains is a first cause; there may be several.
 */

/** A phase that failed, with all that its evidence consists of. Times in epoch ms. */
export interface FailedPhase {
  readonly id: PhaseId;
  readonly status: PhaseStatus;
  readonly failure: Failure;
  /** When it could first be known. */
  readonly evidenceAt: number;
  /** When its resource first crashed or failed, if that is known: a crash loop is told long after it has begun. */
  readonly troubleSince?: number;
  /** Message, detail, and the last lines of its log, oldest first. */
  readonly lines: readonly string[];
}

/** What must be known of a resource to relate its failures to others'. */
export interface Peer {
  readonly deps: readonly string[];
  readonly usesCluster: boolean;
  readonly addresses: readonly string[];
  readonly mentions: readonly string[];
  /** When others could first use it (its last phase passed); absent if never. */
  readonly availableAt?: number;
}

export interface Echo {
  readonly culprit: FailedPhase;
  readonly evidence: string;
}

export interface Attribution {
  /** Earliest evidence first; a failed teardown last. */
  readonly culprits: readonly FailedPhase[];
  /** By phase key. */
  readonly echoes: ReadonlyMap<string, Echo>;
}

/** How a failure can have come from elsewhere: by no way; as its message says; as its output or settings say. */
type Origin = "own" | "message" | "output";

// What is wrong with the resource itself whatever its peers do; the rest may follow from a peer.
const ORIGIN: Readonly<Partial<Record<ReasonCode, Origin>>> = {
  TiltfileError: "own",
  BuildFailed: "own",
  ImagePull: "own",
  ContainerConfig: "own",
  Unschedulable: "own",
  VolumePending: "own",
  OOMKilled: "own",
  DependencyNeverStarts: "own",
  PortTaken: "own",
  ApplyRejected: "message",
  PushFailed: "message",
  NotEstablished: "message",
};

/** Splits failures into first causes and echoes. Pure; about n² in the number of failures. */
export function attribute(
  failures: readonly FailedPhase[],
  peers: ReadonlyMap<string, Peer>,
): Attribution {
  const ordered = failures.toSorted(byEvidence);
  const dependencies = new Map<string, ReadonlySet<string>>();
  const depsOf = (name: string) => {
    const known = dependencies.get(name) ?? closure(name, peers);
    dependencies.set(name, known);
    return known;
  };
  const patterns = new Map<string, RegExp | undefined>();
  const patternOf = (name: string) => {
    if (!patterns.has(name)) patterns.set(name, namePattern(peers.get(name)?.addresses ?? []));
    return patterns.get(name);
  };
  const context: Context = { peers, depsOf, patternOf, evidenceOn: indexEvidence(peers) };
  const echoes = new Map<string, Echo>();
  for (const failure of ordered) {
    const echo = bestEcho(failure, ordered, context, echoes);
    if (echo !== undefined) echoes.set(phaseKey(failure.id), echo);
  }
  return { culprits: ordered.filter(({ id }) => !echoes.has(phaseKey(id))), echoes };
}

interface Context {
  readonly peers: ReadonlyMap<string, Peer>;
  depsOf(name: string): ReadonlySet<string>;
  patternOf(name: string): RegExp | undefined;
  /** The lines of a failure's evidence, and whether its settings, may name a resource: so that patterns run only there. */
  evidenceOn(failure: FailedPhase, resource: string): Evidence | undefined;
}

interface Evidence {
  readonly lines: string[];
  inSettings: boolean;
}

/** Finds by words what may be named where; patterns then decide. */
function indexEvidence(peers: ReadonlyMap<string, Peer>): Context["evidenceOn"] {
  const named = new Map<string, string[]>();
  for (const [name, { addresses }] of peers)
    for (const address of addresses) {
      const label = address.toLowerCase().split(NO_WORD, 1)[0] ?? "";
      named.set(label, [...(named.get(label) ?? []), name]);
    }
  const known = new Map<FailedPhase, Map<string, Evidence>>();
  const read = (failure: FailedPhase) => {
    const found = new Map<string, Evidence>();
    const see = (line: string, note: (evidence: Evidence) => void) => {
      for (const word of new Set(line.toLowerCase().split(NO_WORD)))
        for (const name of named.get(word) ?? []) {
          const evidence = found.get(name) ?? { lines: [], inSettings: false };
          found.set(name, evidence);
          note(evidence);
        }
    };
    for (const line of failure.lines) see(line, (evidence) => evidence.lines.push(line));
    const settings = peers.get(failure.id.resource)?.mentions ?? [];
    for (const line of settings)
      see(line, (evidence) => {
        evidence.inSettings = true;
      });
    known.set(failure, found);
    return found;
  };
  return (failure, resource) => (known.get(failure) ?? read(failure)).get(resource);
}

/** Tilt's resource for objects that belong to no other. */
const UNCATEGORIZED = "uncategorized";
const NO_WORD = /[^a-z0-9_-]+/;

function byEvidence(a: FailedPhase, b: FailedPhase): number {
  const teardown = Number(a.id.phase === "teardown") - Number(b.id.phase === "teardown");
  return teardown || a.evidenceAt - b.evidenceAt || rank(a) - rank(b);
}

/** At one instant, what comes first in a run is named first. */
function rank({ id }: FailedPhase): number {
  const subject = id.resource === CLUSTER_SUBJECT || id.resource === TILTFILE_SUBJECT ? 0 : 100;
  return subject + PHASES.indexOf(id.phase);
}

/** The most telling explanation of a failure, if there is any; ties go to the earlier culprit. */
function bestEcho(
  failure: FailedPhase,
  ordered: readonly FailedPhase[],
  context: Context,
  echoes: ReadonlyMap<string, Echo>,
): Echo | undefined {
  let best: { readonly echo: Echo; readonly strength: number } | undefined;
  for (const culprit of ordered) {
    if (culprit === failure || culprit.id.phase === "teardown") continue;
    const link = explain(failure, culprit, context);
    if (link === undefined || (best !== undefined && link.strength <= best.strength)) continue;
    if (leadsTo(culprit, failure, echoes)) continue;
    best = { echo: { culprit, evidence: link.evidence }, strength: link.strength };
  }
  return best?.echo;
}

/** Whether following the echoes from one failure arrives at another: such a link would close a circle. */
function leadsTo(from: FailedPhase, to: FailedPhase, echoes: ReadonlyMap<string, Echo>): boolean {
  for (let at: FailedPhase | undefined = from; at; at = echoes.get(phaseKey(at.id))?.culprit)
    if (at === to) return true;
  return false;
}

interface Link {
  readonly evidence: string;
  /** Larger is more telling. */
  readonly strength: number;
}

function explain(failure: FailedPhase, culprit: FailedPhase, context: Context): Link | undefined {
  if (failure.id.resource === culprit.id.resource) return sameResource(failure, culprit);
  const later = failure.evidenceAt >= culprit.evidenceAt || beganAt(failure) >= beganAt(culprit);
  if (culprit.id.resource === CLUSTER_SUBJECT || failure.failure.code === "Infra")
    return later ? infrastructure(failure, culprit, context) : undefined;
  const need = needOf(failure, culprit);
  if (need !== undefined) return need;
  const origin = ORIGIN[failure.failure.code] ?? "output";
  if (origin === "own" || failure.id.resource === CLUSTER_SUBJECT) return undefined;
  const mention = mentionOf(failure, culprit, origin, context);
  if (mention?.trouble && (later || wasDown(culprit, failure.evidenceAt, context)))
    return { evidence: mention.line, strength: 5 };
  if (!later) return origin === "output" ? unnamedPeer(failure, culprit, context) : undefined;
  if (mention !== undefined) return { evidence: mention.line, strength: 4 };
  if (origin !== "output") return undefined;
  if (context.depsOf(failure.id.resource).has(culprit.id.resource))
    return { evidence: "resource_deps", strength: 3 };
  const setting = settingOf(failure, culprit, context);
  return setting === undefined ? undefined : { evidence: setting.line, strength: 2 };
}

/** A crash loop is told by its last crash, and of two the one that had more of them comes last. */
function beganAt({ evidenceAt, troubleSince }: FailedPhase): number {
  return Math.min(evidenceAt, troubleSince ?? evidenceAt);
}

/**
 * A connection that failed, to nobody by name, while a peer that the settings name was not up yet: if that peer then never
 * comes up for reasons of its own (its image, its memory), they are the cause, though they were told later.
 */
function unnamedPeer(
  failure: FailedPhase,
  culprit: FailedPhase,
  context: Context,
): Link | undefined {
  if (ORIGIN[culprit.failure.code] !== "own") return undefined;
  if (!wasDown(culprit, failure.evidenceAt, context)) return undefined;
  if (!failure.lines.some(tellsOfNoConnection)) return undefined;
  const setting = settingOf(failure, culprit, context);
  return setting && { evidence: setting.line, strength: 2 };
}

/** A later phase of the same resource fails because the earlier one did; two images that fail to build are two causes. */
function sameResource(failure: FailedPhase, culprit: FailedPhase): Link | undefined {
  const follows = PHASES.indexOf(culprit.id.phase) < PHASES.indexOf(failure.id.phase);
  if (!follows || failure.evidenceAt < culprit.evidenceAt) return undefined;
  return { evidence: `${culprit.id.phase} failed`, strength: 6 };
}

/** What belongs to no resource of its own (a claim, say) is told of the resource that cannot do without. */
function needOf({ id, failure }: FailedPhase, culprit: FailedPhase): Link | undefined {
  const named =
    id.resource === UNCATEGORIZED &&
    failure.object !== undefined &&
    culprit.failure.message.includes(failure.object);
  return named ? { evidence: culprit.failure.message, strength: 6 } : undefined;
}

/** What breaks while the cluster is broken, and the same breakage seen by several resources. */
function infrastructure(
  failure: FailedPhase,
  culprit: FailedPhase,
  { peers }: Context,
): Link | undefined {
  if (culprit.id.resource === CLUSTER_SUBJECT) {
    const own = (ORIGIN[failure.failure.code] ?? "output") === "own";
    const exposed = failure.failure.code === "Infra" || peers.get(failure.id.resource)?.usesCluster;
    return exposed && !own ? { evidence: culprit.failure.message, strength: 7 } : undefined;
  }
  const same =
    culprit.failure.code === "Infra" &&
    normalise(culprit.failure.message) === normalise(failure.failure.message);
  return same ? { evidence: failure.failure.message, strength: 1 } : undefined;
}

function mentionOf(
  failure: FailedPhase,
  culprit: FailedPhase,
  origin: Origin,
  { patternOf, evidenceOn }: Context,
): Mention | undefined {
  const lines = evidenceOn(failure, culprit.id.resource)?.lines ?? [];
  const pattern = lines.length > 0 ? patternOf(culprit.id.resource) : undefined;
  if (pattern === undefined) return undefined;
  const { message, detail } = failure.failure;
  return findInOutput(
    pattern,
    origin === "message" ? [...(detail?.split("\n") ?? []), message] : lines,
  );
}

function settingOf(
  failure: FailedPhase,
  culprit: FailedPhase,
  { peers, patternOf, evidenceOn }: Context,
): Mention | undefined {
  if (!evidenceOn(failure, culprit.id.resource)?.inSettings) return undefined;
  const pattern = patternOf(culprit.id.resource);
  const settings = peers.get(failure.id.resource)?.mentions ?? [];
  return pattern === undefined ? undefined : findInSettings(pattern, settings);
}

/** A peer that had not come up by then, or had begun to crash, explains a complaint about it, even if its failure was told later. */
function wasDown({ id, troubleSince }: FailedPhase, at: number, { peers }: Context): boolean {
  const { availableAt } = peers.get(id.resource) ?? {};
  if (availableAt === undefined || availableAt > at) return true;
  return troubleSince !== undefined && troubleSince <= at;
}

function closure(name: string, peers: ReadonlyMap<string, Peer>): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = [...(peers.get(name)?.deps ?? [])];
  for (let dep = queue.pop(); dep !== undefined; dep = queue.pop()) {
    if (seen.has(dep)) continue;
    seen.add(dep);
    queue.push(...(peers.get(dep)?.deps ?? []));
  }
  return seen;
}

/** A message without what differs from run to run: hashes, pod suffixes, numbers, times. */
export function normalise(message: string): string {
  return message
    .toLowerCase()
    .replace(/-[a-z0-9]{8,10}-[a-z0-9]{5}\b/g, "-#")
    .replace(/\b[0-9a-f]{7,}\b/g, "#")
    .replace(/\d+(?:\.\d+)?/g, "#")
    .replace(/\s+/g, " ")
    .trim();
}
