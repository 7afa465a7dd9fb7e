/** A document that is no Kubernetes object, or one whose images cannot be read; the message is Tilt's. */
export class ManifestError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ManifestError";
  }
}
