import { describe, expect, test } from "vitest";
import type { ImageBuild, Resource } from "../../../src/model/plan.ts";
import { createRandom, type Random } from "../../chaos/random.ts";
import { compose, image, k8s, local, planOf, Scenario, server } from "./scenario.ts";

const PLAYS = 400;
const SEED = 20261123;

/** Resources and images in an order in which each needs earlier ones only. */
function randomPlan(random: Random): { resources: Resource[]; images: ImageBuild[] } {
  const some = <T>(items: readonly T[], chance = 3): T[] =>
    items.filter(() => random.below(chance) === 0);
  const names = ["a", "b", "c", "d", "e"].slice(0, 1 + random.below(5));
  const refs = ["w", "x", "y", "z"].slice(0, random.below(5));
  const users = new Map(refs.map((ref) => [ref, [] as string[]]));
  const resources = names.map((name, index) => {
    const extra = {
      resourceDeps: some(names.slice(0, index)),
      labels: random.below(2) === 0 ? ["probed"] : [],
      readiness: random.pick(["wait", "wait", "ignore", "succeeded"] as const),
    };
    const used = some(refs, 2);
    const make = random.pick([k8s, k8s, k8s, local, server, compose]);
    if (make === k8s) {
      for (const ref of used) users.get(ref)!.push(name);
      return k8s(name, { ...extra, images: used });
    }
    const { readiness: _, ...rest } = extra;
    if (make === local) return local(name, { ...rest, allowParallel: random.below(2) === 0 });
    return make === server ? server(name, rest) : compose(name, rest);
  });
  const images = refs.flatMap((ref, index) => {
    const deployed = users.get(ref)!.length > 0;
    // A base counts among the images of whoever uses what stands on it; who that is does not matter to the order.
    const usedBy = deployed ? users.get(ref)! : [random.pick(names)];
    const isUsed = resources.some(({ name, type }) => type === "k8s" && usedBy.includes(name));
    return isUsed ? [image(ref, usedBy, { deployed, dependsOn: some(refs.slice(0, index)) })] : [];
  });
  const there = new Set(images.map(({ ref }) => ref));
  return {
    resources,
    images: images.map((one) => ({
      ...one,
      dependsOn: one.dependsOn.filter((ref) => there.has(ref)),
    })),
  };
}

/** Lets whatever may happen next happen, until the run ends; a `kind` one never fails anything. */
function play(random: Random, run: Scenario, isKind: boolean): void {
  for (let turn = 0; turn < 400 && run.end === undefined; turn += 1) {
    run.at(Math.max(run.now + random.below(900), run.now));
    if (run.end !== undefined) return;
    const open = run.running;
    const fails = !isKind && random.below(12) === 0;
    const id = open.length === 0 ? undefined : random.pick(open);
    const task = id === undefined ? undefined : run.graph.tasks.get(id);
    if (id !== undefined && task !== undefined && task.phase !== "serve") {
      if (fails) run.fail(id);
      else run.pass(id);
    }
    const resources = [...run.graph.resources.values()].filter(({ settles }) => settles);
    if (resources.length === 0 || run.end !== undefined) continue;
    const { name } = random.pick(resources);
    const state = random.pick(
      isKind
        ? (["pending", "ready", "ready"] as const)
        : (["pending", "ready", "crashing", "ready"] as const),
    );
    run.observe(name, state, state === "crashing" ? { crashes: 1 + random.below(4) } : {});
  }
}

describe("random plans", () => {
  test("come to rest after everything that happens, and end as they went", () => {
    const ends: Record<string, number> = {};
    for (let step = 0; step < PLAYS; step += 1) {
      const random = createRandom(SEED, step);
      const isKind = step % 2 === 0;
      const { resources, images } = randomPlan(random);
      const run = new Scenario(planOf(resources, images));
      try {
        play(random, run, isKind);
      } catch (error) {
        throw new Error(`play ${step}: ${(error as Error).message}`, { cause: error });
      }
      ends[run.end ?? "none"] = (ends[run.end ?? "none"] ?? 0) + 1;
      const phases = [...run.state.phases.values()];
      const failed = phases.filter(({ status }) => status === "failed" || status === "error");
      if (isKind) expect(`play ${step}: ${run.end}`).toBe(`play ${step}: passed`);
      if (run.end === "passed") expect(failed, `play ${step}`).toEqual([]);
      if (run.end === "failed") expect(failed.length, `play ${step}`).toBeGreaterThan(0);
    }
    expect(Object.keys(ends).toSorted()).toEqual(expect.arrayContaining(["failed", "passed"]));
  });
});
