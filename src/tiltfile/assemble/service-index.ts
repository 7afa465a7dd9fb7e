import {
  DEFAULT_NAMESPACE,
  objectNamespace,
  podTemplateLabels,
  serviceSelector,
} from "../../manifests/kubernetes-objects.ts";
import type { PlannedObject } from "../../model/plan.ts";

type Labels = Readonly<Record<string, string>>;

interface FreeService {
  readonly object: PlannedObject;
  readonly selector: Labels;
  readonly namespace: string;
  /** Place in the YAML. */
  readonly order: number;
}

/** The Services that no resource has taken yet, found by a label that they select. */
export class ServiceIndex {
  readonly #byLabel = new Map<string, Set<FreeService>>();

  constructor(objects: readonly PlannedObject[]) {
    for (const [order, object] of objects.entries()) {
      const selector = serviceSelector(object.object);
      if (selector === undefined) continue;
      const namespace = objectNamespace(object.object);
      this.#bucket(labelOf(selector)).add({ object, selector, namespace, order });
    }
  }

  /**
   * Takes the Services whose selector the pod template of a workload satisfies, in YAML order. A Service in the default
   * namespace goes with a workload anywhere, as in Tilt.
   */
  take(workload: PlannedObject): PlannedObject[] {
    const namespace = objectNamespace(workload.object);
    return podTemplateLabels(workload.object).flatMap((labels) => {
      const matching = Object.entries(labels)
        .flatMap(([key, value]) => [...(this.#byLabel.get(`${key}=${value}`) ?? [])])
        .filter(
          (service) =>
            (service.namespace === DEFAULT_NAMESPACE || service.namespace === namespace) &&
            Object.entries(service.selector).every(([key, value]) => labels[key] === value),
        )
        .sort((left, right) => left.order - right.order);
      for (const service of matching) this.#bucket(labelOf(service.selector)).delete(service);
      return matching.map(({ object }) => object);
    });
  }

  #bucket(label: string): Set<FreeService> {
    let bucket = this.#byLabel.get(label);
    if (bucket === undefined) {
      bucket = new Set();
      this.#byLabel.set(label, bucket);
    }
    return bucket;
  }
}

/** One label is enough to find a Service by; the last one written is the most telling, as a rule. */
function labelOf(selector: Labels): string {
  const [key, value] = Object.entries(selector).at(-1)!;
  return `${key}=${value}`;
}
