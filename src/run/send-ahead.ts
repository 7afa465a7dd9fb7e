import { MIRRORED_REGISTRIES } from "../cluster/node-script.ts";
import type { Images, MirroredImage } from "../images/index.ts";
import {
  formatImageReference,
  type ImageReference,
  matchesImage,
  parseImageReference,
} from "../manifests/image-reference.ts";
import { imagesOf } from "../manifests/kubernetes-images.ts";
import type { KubernetesResource, Plan } from "../model/plan.ts";
import type { RunCluster } from "./cluster.ts";
import type { Session } from "./session.ts";

/** A node that finds no image waits ten seconds and longer before it looks again; a local copy is there sooner. */
const ARRIVAL_MS = 30_000;

/** Waits until other people's images that a resource names, and that are being sent, have arrived. Never rejects. */
export type SentAhead = (resource: KubernetesResource, signal: AbortSignal) => Promise<void>;

/**
 * While images build and the control plane boots: the bases that they stand on, and other people's images that the
 * manifests name, go from the local Docker to the registry and into the nodes. All of it only saves time (and the
 * internet): what does not arrive here is pulled later by whoever needs it, who tells better what is wrong.
 */
export function sendAhead(
  session: Session,
  plan: Plan,
  images: Images,
  cluster: RunCluster,
): SentAhead {
  const { lease } = cluster;
  if (!lease || session.options.registry !== "local") return async () => {};
  const { signal } = session;
  const intoNodes = (sent: readonly MirroredImage[]) =>
    Promise.all(sent.map((image) => lease.pull(image, signal)));
  const foreign = thirdPartyImages(plan);
  const unusual = [...new Set(foreign.map(({ domain }) => domain))].filter(
    (domain) => !MIRRORED_REGISTRIES.includes(domain),
  );
  const mirror = async () => {
    if (unusual.length > 0) await lease.mirror(unusual, signal);
    await intoNodes(await images.mirrorThirdParty(foreign.map(formatImageReference), signal));
  };
  mirror().catch(() => {});
  const { clock } = session.host;
  const arrival = async (resource: KubernetesResource, stop: AbortSignal) => {
    const own = thirdPartyImages({ ...plan, resources: [resource] }).map(formatImageReference);
    if (own.length > 0) await images.mirrorThirdParty(own, stop);
  };
  images
    .sendBaseImages(plan.images, signal)
    .then(intoNodes)
    .catch(() => {});
  return async (resource, stop) => {
    const waiting = AbortSignal.any([signal, stop]);
    const limit = clock.sleep(ARRIVAL_MS, waiting);
    await Promise.race([arrival(resource, waiting), limit]).catch(() => {});
  };
}

/** Images of the objects that this run applies and that it does not build. */
export function thirdPartyImages(plan: Plan): ImageReference[] {
  const built = plan.images.map(({ ref, exactTag }) => ({
    reference: parseImageReference(ref),
    exact: exactTag,
  }));
  const found = new Map<string, ImageReference>();
  for (const resource of plan.resources) {
    if (resource.type !== "k8s" || !resource.enabled || !resource.autoInit) continue;
    for (const { object, imageLocators } of resource.objects) {
      for (const reference of imagesOf(object, imageLocators, [])) {
        if (built.some((selector) => matchesImage(selector, reference))) continue;
        found.set(formatImageReference(reference), reference);
      }
    }
  }
  return [...found.values()];
}
