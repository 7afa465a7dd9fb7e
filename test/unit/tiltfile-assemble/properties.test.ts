import { describe, expect, test } from "vitest";
import { deployment, dockerBuild, groups, local, plain, plan, service } from "./recorded.ts";

/** Random numbers that are the same in each run (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function randomParts(seed: number) {
  const random = generator(seed);
  const namespaces = ["", "one", "two"];
  const pick = () => namespaces[random(3)]!;
  const documents = Array.from({ length: 1 + random(30) }, (_, index) => {
    switch (random(3)) {
      case 0:
        return deployment(`w${random(8)}-${index}`, `app${random(5)}:v${random(2)}`, pick());
      case 1:
        return service(
          `s-${index}`,
          random(2) === 0 ? "{tier: all}" : `{app: w${random(8)}-${random(30)}}`,
          pick(),
        );
      default:
        return plain("ConfigMap", `c-${index}`, pick());
    }
  });
  const images = Array.from({ length: random(8) }, () =>
    dockerBuild(`app${random(6)}:v${random(3)}`, {
      dockerfileContents: `FROM app${6 + random(3)}\n`,
    }),
  );
  const unique = images.filter(
    ({ ref }, at) => images.findIndex((other) => other.ref === ref) === at,
  );
  const locals = Array.from({ length: random(5) }, (_, index) =>
    local(`l${index}`, {
      resourceDeps: Array.from({ length: random(3) }, () => `l${index + 1 + random(3)}`),
    }),
  );
  return { yaml: documents.join(""), images: unique, locals };
}

const SEEDS = Array.from({ length: 150 }, (_, seed) => seed);

describe("assemble()", () => {
  test.each(SEEDS)(
    "puts each object into one resource, each image behind what it needs (%i)",
    (seed) => {
      const parts = randomParts(seed);
      const made = plan(parts);
      const objects = Object.values(groups(made)).flat();
      expect(objects).toHaveLength(parts.yaml.split("---\n").length - 1);
      expect(new Set(objects).size).toBe(objects.length);
      expect(new Set(made.resources.map(({ name }) => name)).size).toBe(made.resources.length);
      const refs = made.images.map(({ ref }) => ref);
      for (const [at, { dependsOn, usedBy }] of made.images.entries()) {
        for (const needed of dependsOn) expect(refs.slice(0, at)).toContain(needed);
        expect(usedBy.length).toBeGreaterThan(0);
      }
      for (const resource of made.resources) {
        if (resource.type === "k8s")
          expect(refs).toEqual(expect.arrayContaining([...resource.images]));
      }
      const known = made.resources.map(({ name }) => name);
      for (const { resourceDeps } of made.resources)
        expect(known).toEqual(expect.arrayContaining([...resourceDeps]));
    },
  );

  test.each(SEEDS)("gives each Service to the first workload that it selects (%i)", (seed) => {
    const { resources } = plan(randomParts(seed));
    const workloads = resources.flatMap((resource) =>
      resource.type !== "k8s"
        ? []
        : resource.objects.flatMap(({ object }) =>
            object.kind === "Deployment" ? [{ resource, object }] : [],
          ),
    );
    for (const { name, ...resource } of resources) {
      if (resource.type !== "k8s") continue;
      for (const { object } of resource.objects) {
        if (object.kind !== "Service") continue;
        const namespace = object.metadata.namespace ?? "default";
        const selector = Object.entries(
          (object.spec as { selector: Record<string, string> }).selector,
        );
        const owner = workloads.find(({ object: workload }) => {
          const labels: Record<string, string> = { app: workload.metadata.name, tier: "all" };
          const inReach =
            namespace === "default" || namespace === (workload.metadata.namespace ?? "default");
          return inReach && selector.every(([key, value]) => labels[key] === value);
        });
        expect(name).toBe(owner?.resource.name ?? "uncategorized");
      }
    }
  });

  test.each(SEEDS.slice(0, 20))("makes the same plan each time (%i)", (seed) => {
    expect(plan(randomParts(seed))).toEqual(plan(randomParts(seed)));
  });
});
