/** A document that is no YAML. `message` is what Tilt shows (Go's wording); the fields say where it is in the file. */
export class YamlError extends Error {
  /** Absolute path, or a description such as `Tiltfile blob() call`. */
  readonly file: string;
  /** 1-based line in the file. */
  readonly line: number;
  /** 1-based number of the document in the stream. */
  readonly document: number;
  constructor(message: string, place: { file: string; line: number; document: number }) {
    super(message);
    this.name = "YamlError";
    this.file = place.file;
    this.line = place.line;
    this.document = place.document;
  }
}
