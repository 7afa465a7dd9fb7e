/** An image to be fetched into nodes. */
export interface PulledImage {
  readonly ref: string;
  /** Digests of its layers as far as they are known; none: it shares nothing. */
  readonly layers?: readonly string[] | undefined;
}

/**
 * Orders pulls into the same nodes: those that share a layer go one after another, others at once. containerd
 * fetches and unpacks a layer for every pull that has begun before the layer is there, so that four images on one
 * base, pulled together, unpack it four times.
 */
export function createPullQueue(
  pull: (ref: string, signal: AbortSignal | undefined) => Promise<void>,
): (image: PulledImage, signal?: AbortSignal) => Promise<void> {
  const open = new Map<Promise<void>, ReadonlySet<string>>();
  return (image, signal) => {
    const layers = new Set(image.layers);
    const before = [...open]
      .filter(([, taken]) => [...taken].some((layer) => layers.has(layer)))
      .map(([pulling]) => pulling);
    // one that failed leaves its layers to the next
    const pulling = Promise.allSettled(before).then(() => {
      signal?.throwIfAborted();
      return pull(image.ref, signal);
    });
    open.set(pulling, layers);
    const done = () => open.delete(pulling);
    pulling.then(done, done);
    return pulling;
  };
}
