/** A value that must appear nowhere. */
export interface Secret {
  readonly value: string;
  /** What stands in its place, after `redacted `: `secret db:password` (Tilt's text), `env NPM_TOKEN`, `build secret npmrc`, `registry credentials`. */
  readonly label: string;
  /**
   * `manifest`: a value of a Secret in the Tiltfile's YAML. As in Tilt, only from 5 characters on: shorter ones are words
   * such as `root` or `true`. `explicit`: named by the user to be secret, from 3 characters on (below 5 as a whole word).
   */
  readonly origin: "manifest" | "explicit";
}

/** A text by which a secret shows. */
export interface SecretForm {
  readonly text: string;
  /** So short that it counts only where no letter or digit adjoins. */
  readonly wholeWord: boolean;
}

const MIN_MANIFEST = 5;
const MIN_EXPLICIT = 3;
/** A line of a multi-line value, or a piece of its base64, must be this long: shorter ones are `}` or `- name`. */
const MIN_PART = 8;
/** Line widths of base64 as `base64(1)`, MIME (76) and PEM (64) wrap it. */
const BASE64_WIDTHS = [76, 64];

/** All texts by which a secret may show: plain, by line, escaped for JSON, base64 (any alignment, wrapped), URL-encoded. */
export function needlesOf(secret: Secret): SecretForm[] {
  const { value } = secret;
  const min = secret.origin === "manifest" ? MIN_MANIFEST : MIN_EXPLICIT;
  const trimmed = value.trim();
  if (trimmed.length < min) return [];
  const texts = new Set<string>([value, trimmed]);
  for (const line of linesOf(trimmed)) addEscapes(line, texts);
  for (const whole of [value, trimmed]) {
    addEscapes(whole, texts);
    addBase64(whole, texts);
  }
  addBase64(`${trimmed}\n`, texts);
  return [...texts]
    .filter((text) => text.length >= min)
    .map((text) => ({ text, wholeWord: text.length < MIN_MANIFEST }));
}

/** The lines of a multi-line value that tell something; frames of PEM blocks do not. */
function linesOf(value: string): string[] {
  if (!/[\r\n]/.test(value)) return [];
  return value
    .split(/\r\n?|\n/)
    .map((line) => line.trim())
    .filter((line) => line.length >= MIN_PART && !/^-----(BEGIN|END) [A-Z0-9 ]+-----$/.test(line));
}

function addEscapes(value: string, texts: Set<string>): void {
  texts.add(value);
  texts.add(JSON.stringify(value).slice(1, -1));
  const url = encodeUrl(value);
  texts.add(url);
  texts.add(url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()));
  // Form encoding also escapes what encodeURIComponent leaves, and spells a space as a plus.
  const form = url.replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  for (const text of [url, form, form.replaceAll("*", "%2A")]) {
    texts.add(text);
    texts.add(text.replaceAll("%20", "+"));
  }
}

function encodeUrl(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    return value; // a lone surrogate has no URL form, so it cannot show in one
  }
}

function addBase64(value: string, texts: Set<string>): void {
  const bytes = Buffer.from(value, "utf8");
  const whole = bytes.toString("base64");
  if (bytes.length < MIN_EXPLICIT) return;
  for (const text of [whole, whole.replace(/=+$/, "")]) {
    texts.add(text);
    texts.add(toUrlAlphabet(text));
    texts.add(encodeUrl(text));
  }
  if (bytes.length >= MIN_PART) addAlignments(bytes, texts);
  for (const width of BASE64_WIDTHS)
    for (let at = 0; whole.length > width && at < whole.length; at += width) {
      const piece = whole.slice(at, at + width).replace(/=+$/, "");
      if (piece.length >= MIN_PART) texts.add(piece);
    }
}

/** Base64 of the value inside a longer text (`user:password`): three alignments, without the characters shared with neighbours. */
function addAlignments(bytes: Buffer, texts: Set<string>): void {
  for (const offset of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
    const text = padded.toString("base64").replace(/=+$/, "");
    const start = offset === 0 ? 0 : offset + 1;
    const end = padded.length % 3 === 0 ? text.length : text.length - 1;
    const inner = text.slice(start, end);
    if (inner.length < MIN_PART) continue;
    texts.add(inner);
    texts.add(toUrlAlphabet(inner));
  }
}

function toUrlAlphabet(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}
