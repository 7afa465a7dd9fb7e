import { readdirSync, readFileSync } from "node:fs";
import { CORE_SCHEMA, loadAll } from "js-yaml";
import { describe, expect, test } from "vitest";
import type { ApiObject, ClusterEvent, Node, Pod } from "../../../src/kubernetes/api/api-object.ts";
import { objectName } from "../../../src/kubernetes/api/api-object.ts";
import { eventTime } from "../../../src/kubernetes/readiness/events.ts";
import type { Evidence } from "../../../src/kubernetes/readiness/judgement.ts";
import { judgeResource } from "../../../src/kubernetes/readiness/resource.ts";
import { project } from "../../../src/kubernetes/watch/projection.ts";
import type { ReadinessMode } from "../../../src/model/plan.ts";

/**
 * Each file holds an object with its pods, events and nodes as an API server returned them, and is named
 * <kind>-<case>-<state>.yaml. Comments at its top say what else is expected: `code`, `message`, `detail`, `summary`,
 * `since` (of the evidence), `standing` (milliseconds after which it counts as failed), `active`; or what is given: `mode`, `exists`, `coming`, `nobodyElse`.
 */
const directory = new URL("testdata/", import.meta.url);

function load(file: string) {
  const text = readFileSync(new URL(file, directory), "utf8");
  const given: Record<string, string> = {};
  for (const [, key, value] of text.matchAll(/^# (\w+): (.*)$/gm)) given[key!] = value!;
  // The core schema keeps times as text, as JSON has them.
  const documents = loadAll(text, undefined, { schema: CORE_SCHEMA }) as ApiObject[];
  // Judged as the watcher's cache holds them.
  const [object, ...rest] = documents.map(project) as [ApiObject, ...ApiObject[]];
  const ofKind = <T>(kind: string) => rest.filter((one) => one.kind === kind) as unknown as T[];
  return {
    given,
    object,
    pods: ofKind<Pod>("Pod"),
    events: ofKind<ClusterEvent>("Event"),
    nodes: ofKind<Node>("Node"),
  };
}

function evidenceOf({ given, events, nodes }: ReturnType<typeof load>): Evidence {
  const named = (list: string | undefined, kind: string, namespace: string, name: string) =>
    (list ?? "").split(" ").includes(`${kind}/${namespace}/${name}`);
  return {
    eventsOf: (uid) =>
      events
        .filter(({ involvedObject }) => involvedObject.uid === uid)
        .toSorted((a, b) => (eventTime(a) ?? 0) - (eventTime(b) ?? 0)),
    eventsAbout: (kind, namespace, name) =>
      events.filter(
        ({ involvedObject: about }) =>
          about.kind === kind && about.namespace === namespace && about.name === name,
      ),
    nobodyElse: given.nobodyElse === "true",
    nodes: () => (nodes.length === 0 ? undefined : nodes),
    staticNodes: given.nodes !== "autoscaled",
    capacityMayFree: () => given.capacity === "may free",
    mayStillAppear: (...ref) => named(given.coming, ...ref),
    exists: (...ref) => named(given.exists, ...ref),
    endsBefore: () => Number(given.endsBefore ?? 0),
  };
}

describe("judgeResource()", () => {
  test.each(readdirSync(directory).filter((file) => file.endsWith(".yaml")))("%s", (file) => {
    const loaded = load(file);
    const { given, object, pods } = loaded;
    const judgement = judgeResource(
      {
        mode: (given.mode ?? "wait") as ReadinessMode,
        discoveryStrategy: "default",
        hasSelectors: false,
        objects: [
          {
            apiVersion: object.apiVersion,
            kind: object.kind,
            uid: object.metadata.uid,
            label: objectName(object),
            live: object,
            gone: given.gone === "true",
            pods: object.kind === "Pod" ? [object as Pod] : pods,
          },
        ],
        selected: [],
      },
      evidenceOf(loaded),
    );
    expect(judgement.state).toBe(/-(\w+)\.yaml$/.exec(file)?.[1]);
    if (judgement.state === "failed" || judgement.state === "crashing")
      expect(judgement.failure).toBeDefined();
    expect(judgement.failure?.code).toBe(given.code);
    expect(judgement.standing?.ms).toBe(
      given.standing === undefined ? undefined : Number(given.standing),
    );
    expect(judgement.failure?.message ?? "").toContain(given.message ?? "");
    expect(judgement.failure?.detail ?? "").toContain(given.detail ?? "");
    expect(judgement.summary).toContain(given.summary ?? "");
    if (given.since !== undefined)
      expect(judgement.failure?.evidenceAt).toBe(Date.parse(given.since));
    if (given.active !== undefined) expect(String(judgement.active)).toBe(given.active);
    if (given.becomes !== undefined) expect(judgement.standing?.becomes).toBe(given.becomes);
  });
});
