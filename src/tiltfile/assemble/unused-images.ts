import { familiarName, familiarReference } from "../../manifests/image-reference.ts";
import type { PlanWarning } from "../../model/plan.ts";
import { goQuote } from "../go/quote.ts";
import { closestMatches } from "./closest-match.ts";
import type { ImageIndex } from "./image-index.ts";

const NO_CONFIGS =
  "We could not find any deployment instructions, e.g. `k8s_yaml` or `docker_compose`.\n" +
  "Skipping all image builds until we know how to deploy them.";
const NO_IMAGES =
  "No Kubernetes configs with images found.\n" +
  "If you are using CRDs, add k8s_kind() to tell Tilt how to find images.\n" +
  "https://docs.tilt.dev/api.html#api.k8s_kind";
const SUGGESTIONS = 3;

/** What the Tiltfile deploys, as far as the warning depends on it. */
export interface Deployments {
  readonly hasKubernetesResources: boolean;
  readonly hasOtherObjects: boolean;
  readonly hasCompose: boolean;
}

/** The warning about builds that nothing uses: Tilt gives one, about the first of them. */
export function unusedImageWarning(
  index: ImageIndex,
  suppressed: readonly string[],
  deployments: Deployments,
): PlanWarning | undefined {
  if (suppressed.includes("*")) return undefined;
  const unused = index.images.find(
    ({ isConsumed, selector }) =>
      !isConsumed && !suppressed.includes(familiarReference(selector.reference)),
  );
  if (unused === undefined) return undefined;
  const { position } = unused.recorded;
  const { hasKubernetesResources, hasOtherObjects, hasCompose } = deployments;
  if (!hasKubernetesResources && hasOtherObjects) return { message: NO_IMAGES, position };
  if (!hasKubernetesResources && !hasCompose) return { message: NO_CONFIGS, position };
  const { reference } = unused.selector;
  const ref = familiarReference(reference);
  const matches = closestMatches(familiarName(reference), index.consumedNames, SUGGESTIONS);
  const lines = [
    `Image not used in any ${hasCompose ? "Docker Compose" : "Kubernetes"} config:`,
    `    ✕ ${ref}`,
    ...(matches.length > 0 ? ["Did you mean…"] : []),
    ...matches.map((match) => `    - ${match}`),
    "Skipping this image build",
    `If this is deliberate, suppress this warning with: update_settings(suppress_unused_image_warnings=[${goQuote(ref)}])`,
  ];
  return { message: lines.join("\n"), position };
}
