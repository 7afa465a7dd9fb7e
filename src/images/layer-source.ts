/** Where an image's bytes come from on their way to a registry. */

/** A blob to be sent, named by its digest. */
export interface Blob {
  /** `sha256:…` of the bytes. */
  readonly digest: string;
  readonly size: number;
  /** The bytes, once. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Takes one blob in; the next one may come only after it resolves, unless the source can read several at once. */
export type BlobSink = (blob: Blob) => Promise<void>;

export interface LayerSource {
  /**
   * Hands the wanted blobs of an image (its configuration and uncompressed layers, by digest) to the sink, each once.
   * Rejects with `LayerSourceError` if it cannot get at them.
   */
  fetch(
    imageId: string,
    wanted: ReadonlySet<string>,
    sink: BlobSink,
    signal: AbortSignal,
  ): Promise<void>;
}

/** A source that cannot give what was asked of it: another one may. */
export class LayerSourceError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "LayerSourceError";
  }
}
