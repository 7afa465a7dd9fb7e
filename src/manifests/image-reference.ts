/**
 * Docker image references: the grammar and the errors of distribution's `reference` package, as Tilt shows them,
 * and how Tilt matches and rewrites them.
 */

const ALPHANUMERIC = "[a-z0-9]+";
const SEPARATOR = "(?:[._]|__|[-]+)";
const PATH_COMPONENT = `${ALPHANUMERIC}(?:${SEPARATOR}${ALPHANUMERIC})*`;
const REMOTE_NAME = `${PATH_COMPONENT}(?:/${PATH_COMPONENT})*`;
const DOMAIN_COMPONENT = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const HOST = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])`;
const DOMAIN = `${HOST}(?::[0-9]+)?`;
const NAME = `(?:${DOMAIN}/)?${REMOTE_NAME}`;
const TAG = "\\w[\\w.-]{0,127}";
const DIGEST = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*[:][0-9A-Fa-f]{32,}";

const REFERENCE_PATTERN = new RegExp(`^(${NAME})(?::(${TAG}))?(?:@(${DIGEST}))?$`);
const NAME_PATTERN = new RegExp(`^(?:(${DOMAIN})/)?(${REMOTE_NAME})$`);
const TAG_PATTERN = new RegExp(`^${TAG}$`);
const IDENTIFIER_PATTERN = /^[a-f0-9]{64}$/;
/** Lengths of the hexadecimal part by algorithm (go-digest). */
const DIGEST_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const MAX_NAME_LENGTH = 255;
const HUB = "docker.io";
const LEGACY_HUB = "index.docker.io";
const OFFICIAL = "library/";

/** A parsed and normalised reference: `foo` is `docker.io/library/foo`. */
export interface ImageReference {
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** A text that is no image reference; the message is that of Go's parser. */
export class ImageReferenceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ImageReferenceError";
  }
}

/**
 * Parses a reference as Docker's command line does (`ParseNormalizedNamed`): the Hub and `library/` may be left out.
 * @throws ImageReferenceError
 */
export function parseImageReference(text: string): ImageReference {
  if (IDENTIFIER_PATTERN.test(text)) {
    throw new ImageReferenceError(
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const [domain, remainder] = splitDomain(text);
  const colon = remainder.indexOf(":");
  const remote = colon < 0 ? remainder : remainder.slice(0, colon);
  if (remote.toLowerCase() !== remote) {
    throw new ImageReferenceError(
      `invalid reference format: repository name (${remote}) must be lowercase`,
    );
  }
  return parseCanonical(`${domain}/${remainder}`);
}

/** As parseImageReference(), but undefined where that throws. */
export function tryParseImageReference(text: string): ImageReference | undefined {
  try {
    return parseImageReference(text);
  } catch (error) {
    if (error instanceof ImageReferenceError) return undefined;
    throw error;
  }
}

/** Splits off the registry's host: what has a dot, a colon or an upper-case letter, or is `localhost`. */
function splitDomain(text: string): [domain: string, remainder: string] {
  const slash = text.indexOf("/");
  if (slash < 0) return [HUB, OFFICIAL + text];
  const first = text.slice(0, slash);
  let domain = HUB;
  let remainder = text;
  if (first === LEGACY_HUB) {
    remainder = text.slice(slash + 1);
  } else if (first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first) {
    domain = first;
    remainder = text.slice(slash + 1);
  }
  if (domain === HUB && !remainder.includes("/")) remainder = OFFICIAL + remainder;
  return [domain, remainder];
}

function parseCanonical(text: string): ImageReference {
  const match = REFERENCE_PATTERN.exec(text);
  if (match === null) {
    throw new ImageReferenceError(
      REFERENCE_PATTERN.test(text.toLowerCase())
        ? "repository name must be lowercase"
        : "invalid reference format",
    );
  }
  const [, name = "", tag, digest] = match;
  const [, domain = "", path = ""] = NAME_PATTERN.exec(name) ?? [];
  if (path.length > MAX_NAME_LENGTH) {
    throw new ImageReferenceError(
      `repository name must not be more than ${MAX_NAME_LENGTH} characters`,
    );
  }
  if (digest !== undefined) checkDigest(digest);
  return {
    domain,
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function checkDigest(digest: string): void {
  const colon = digest.indexOf(":");
  const length = DIGEST_LENGTHS[digest.slice(0, colon)];
  if (length === undefined) throw new ImageReferenceError("unsupported digest algorithm");
  const encoded = digest.slice(colon + 1);
  if (encoded.length !== length) throw new ImageReferenceError("invalid checksum digest length");
  if (encoded !== encoded.toLowerCase()) {
    throw new ImageReferenceError("invalid checksum digest format");
  }
}

/** `docker.io/library/foo`: domain and path, no tag or digest. */
export function imageName({ domain, path }: ImageReference): string {
  return domain === "" ? path : `${domain}/${path}`;
}

/** The whole reference in its normal form: `docker.io/library/foo:v1@sha256:…`. */
export function formatImageReference(reference: ImageReference): string {
  return imageName(reference) + suffixOf(reference);
}

/** The name as people write it: without the Hub and `library/`. */
export function familiarName({ domain, path }: ImageReference): string {
  if (domain !== HUB) return imageName({ domain, path });
  const official = path.startsWith(OFFICIAL) ? path.slice(OFFICIAL.length) : undefined;
  return official !== undefined && !official.includes("/") ? official : path;
}

/** The whole reference as people write it: `foo:v1`. */
export function familiarReference(reference: ImageReference): string {
  return familiarName(reference) + suffixOf(reference);
}

function suffixOf({ tag, digest }: ImageReference): string {
  return (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}

/**
 * The reference with another tag and no digest.
 * @throws ImageReferenceError
 */
export function withTag({ domain, path }: ImageReference, tag: string): ImageReference {
  if (!TAG_PATTERN.test(tag)) throw new ImageReferenceError("invalid tag format");
  return { domain, path, tag };
}

/** What a build matches: any tag and digest of its name, or (`exact`) one reference only. */
export interface ImageSelector {
  readonly reference: ImageReference;
  readonly exact: boolean;
}

/** The selector of a reference in the Tiltfile: exact if it has a tag. */
export function selectorOf(reference: ImageReference): ImageSelector {
  return { reference, exact: reference.tag !== undefined };
}

/** Whether a build with this selector makes the image of a reference. */
export function matchesImage(selector: ImageSelector, reference: ImageReference): boolean {
  return selector.exact
    ? formatImageReference(selector.reference) === formatImageReference(reference)
    : selector.reference.domain === reference.domain && selector.reference.path === reference.path;
}

/** A registry that images are pushed to or pulled from under other names. */
export interface RegistryRewrite {
  readonly host: string;
  readonly singleName?: string;
}

/**
 * The name (without tag) under which an image lives in a registry: `host/` and the familiar name with `/`, `:` and `@`
 * turned into `_`; names that are in that registry already stay (ci-engine.md §8).
 * @throws ImageReferenceError when the result is no canonical reference
 */
export function rewriteForRegistry(
  reference: ImageReference,
  { host, singleName }: RegistryRewrite,
): ImageReference {
  const { domain, path } = reference;
  const familiar = familiarName(reference);
  if (familiar.startsWith(`${host}/`)) return { domain, path };
  const text = `${host}/${singleName ? singleName : escapeImageName(familiar)}`;
  try {
    return parseCanonicalReference(text);
  } catch (error) {
    if (!(error instanceof ImageReferenceError)) throw error;
    throw new ImageReferenceError(
      `Error parsing ${text} after applying default registry ${host}: ${error.message}`,
    );
  }
}

/** A name as one path component: what `single_name` puts into tags, and a registry into names. */
export function escapeImageName(name: string): string {
  return name.replace(/[/:@]/g, "_");
}

/**
 * Parses a reference that must be spelled in its normal form already (`ParseNamed`).
 * @throws ImageReferenceError
 */
export function parseCanonicalReference(text: string): ImageReference {
  const reference = parseImageReference(text);
  if (formatImageReference(reference) !== text) {
    throw new ImageReferenceError("repository name must be canonical");
  }
  return reference;
}
