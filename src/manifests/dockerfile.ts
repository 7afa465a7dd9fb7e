import { type Arg, type Copy, DockerfileParser, type From, type Instruction } from "dockerfile-ast";
import {
  formatImageReference,
  type ImageReference,
  imageName,
  parseImageReference,
  tryParseImageReference,
} from "./image-reference.ts";

/** A half-open range of UTF-16 offsets in the Dockerfile's text. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** A place where a Dockerfile names an image. */
export interface DockerfileImage {
  readonly instruction: "FROM" | "COPY";
  /** As written, before variables are expanded. */
  readonly written: string;
  /** The normalised reference; texts that are none are left out, as in Tilt. */
  readonly reference: ImageReference;
  /** What a replacement overwrites. */
  readonly range: TextRange;
  /** 0-based line of the instruction. */
  readonly line: number;
}

/** Build arguments: an empty value means that it comes from the environment of the build. */
export type BuildArgs = Readonly<Record<string, string>>;

/**
 * The images that a Dockerfile names, in order: `FROM` with variables expanded (build arguments win over the defaults of
 * `ARG`) and `COPY --from`. Names of build stages are not taken out; `RUN --mount from=` is not looked at.
 */
export function dockerfileImages(contents: string, buildArgs: BuildArgs = {}): DockerfileImage[] {
  return findImages(contents, (args) => buildVariables(args, buildArgs));
}

/**
 * dockerfileImages() as Tilt sees them, for the graph of images (tiltfile-api.md §10). Its defaults of `ARG` differ: the
 * first one of a name counts, and they know no variables of lines before them.
 */
export function tiltDockerfileImages(
  contents: string,
  buildArgs: BuildArgs = {},
): DockerfileImage[] {
  return findImages(contents, (args) => tiltVariables(args, buildArgs));
}

/** An `ARG` instruction: several names, some with a default. */
type ArgInstruction = readonly { readonly name: string; readonly value?: string }[];
type Variables = Readonly<Record<string, string>>;

/** Finds images; `variablesOf` gives the values that the instructions before a `FROM` make. */
function findImages(
  contents: string,
  variablesOf: (args: readonly ArgInstruction[]) => Variables,
): DockerfileImage[] {
  const offsets = lineOffsets(contents);
  const args: ArgInstruction[] = [];
  const images: DockerfileImage[] = [];
  for (const instruction of DockerfileParser.parse(contents).getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === "ARG") args.push(argPairs(instruction as Arg));
    const place =
      keyword === "FROM"
        ? fromImage(instruction as From)
        : keyword === "COPY"
          ? copyImage(instruction as Copy)
          : undefined;
    if (place === undefined) continue;
    const written = place.text;
    const text = expandVariables(written, keyword === "FROM" ? variablesOf(args) : {});
    const reference = tryParseImageReference(text);
    if (reference === undefined) continue;
    images.push({
      instruction: keyword as "FROM" | "COPY",
      written,
      reference,
      range: {
        start: offsets[place.range.start.line]! + place.range.start.character,
        end: offsets[place.range.end.line]! + place.range.end.character,
      },
      line: instruction.getRange().start.line,
    });
  }
  return images;
}

function argPairs(instruction: Arg): ArgInstruction {
  return instruction.getArguments().map((argument) => {
    const text = argument.getValue();
    const equals = text.indexOf("=");
    return equals < 0
      ? { name: text }
      : { name: text.slice(0, equals), value: text.slice(equals + 1) };
  });
}

/** Defaults in order, each expanded with what is known before it. */
function buildVariables(args: readonly ArgInstruction[], buildArgs: BuildArgs): Variables {
  const variables: Record<string, string> = {};
  for (const { name, value } of args.flat()) {
    if (value === undefined && name in variables) continue;
    variables[name] = expandVariables(value ?? "", { ...variables, ...buildArgs });
  }
  return { ...variables, ...buildArgs };
}

/** Tilt takes the instructions last to first, and a name without a value gets the one before it in its instruction. */
function tiltVariables(args: readonly ArgInstruction[], buildArgs: BuildArgs): Variables {
  const given = Object.entries(buildArgs).map(([name, value]) => [{ name, value }]);
  const variables: Record<string, string> = {};
  for (const instruction of [...args.toReversed(), ...given]) {
    let last = "";
    for (const { name, value } of instruction) {
      if (value !== undefined) last = expandVariables(value, variables);
      variables[name] = last;
    }
  }
  return variables;
}

/**
 * The images from outside that a build needs: those of dockerfileImages() that no earlier stage of the file makes,
 * without `scratch`. In order, each once.
 */
export function baseImages(contents: string, buildArgs: BuildArgs = {}): DockerfileImage[] {
  const stages = new Set<string>();
  const stageAt = new Map<number, string>();
  for (const from of DockerfileParser.parse(contents).getFROMs()) {
    const stage = from.getBuildStage();
    if (stage !== null) stageAt.set(from.getRange().start.line, stage.toLowerCase());
  }
  const seen = new Set<string>();
  return dockerfileImages(contents, buildArgs).filter(
    ({ instruction, written, line, reference }) => {
      const own =
        stages.has(written.toLowerCase()) || (instruction === "COPY" && /^[0-9]+$/.test(written));
      const stage = stageAt.get(line);
      if (instruction === "FROM" && stage !== undefined) stages.add(stage);
      const key = `${reference.domain}/${reference.path}:${reference.tag}@${reference.digest}`;
      if (own || written === "scratch" || seen.has(key)) return false;
      seen.add(key);
      return true;
    },
  );
}

/**
 * The Dockerfile with images replaced; every other byte stays. `replacements` goes from references of builds, as in
 * `ImageBuild.ref`, to what takes their place: an exact one wins, one without a tag matches every tag and digest.
 * @throws ImageReferenceError for a key that is no reference
 */
export function rewriteDockerfile(
  contents: string,
  buildArgs: BuildArgs,
  replacements: ReadonlyMap<string, string>,
): string {
  const exact = new Map<string, string>();
  const byName = new Map<string, string>();
  for (const [ref, replacement] of replacements) {
    const reference = parseImageReference(ref);
    exact.set(formatImageReference(reference), replacement);
    if (reference.tag === undefined) byName.set(imageName(reference), replacement);
  }
  let result = "";
  let copied = 0;
  for (const { reference, range } of tiltDockerfileImages(contents, buildArgs)) {
    const replacement =
      exact.get(formatImageReference(reference)) ?? byName.get(imageName(reference));
    if (replacement === undefined) continue;
    result += contents.slice(copied, range.start) + replacement;
    copied = range.end;
  }
  return result + contents.slice(copied);
}

type Place = { readonly text: string; readonly range: ReturnType<Instruction["getRange"]> };

function fromImage(instruction: From): Place | undefined {
  const text = instruction.getImage();
  const range = instruction.getImageRange();
  return text === null || range === null ? undefined : { text, range };
}

function copyImage(instruction: Copy): Place | undefined {
  const flag = instruction.getFlags().find((each) => each.getName() === "from");
  const text = flag?.getValue();
  const range = flag?.getValueRange();
  return text && range ? { text, range } : undefined;
}

/** Quotes taken off and `$name`, `${name}`, `${name:-word}`, `${name:+word}` put in, as BuildKit's shell lexer does. */
function expandVariables(text: string, values: Readonly<Record<string, string>>): string {
  let result = "";
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === "\\" && quote !== "'" && at + 1 < text.length) {
      at += 1;
      result += text[at];
    } else if (quote === "" ? char === "'" || char === '"' : char === quote) {
      quote = quote === "" ? char : "";
    } else if (char === "$" && quote !== "'") {
      const [value, end] = expandVariable(text, at, values);
      result += value;
      at = end - 1;
    } else {
      result += char;
    }
  }
  return result;
}

/** Expands the variable at a `$`; gives its value and the offset behind it. */
function expandVariable(
  text: string,
  at: number,
  values: Readonly<Record<string, string>>,
): [value: string, end: number] {
  const plain = /^\$([A-Za-z_][A-Za-z0-9_]*)/.exec(text.slice(at));
  if (plain !== null) return [values[plain[1]!] ?? "", at + plain[0].length];
  const braced = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])([^}]*))?\}/.exec(text.slice(at));
  if (braced === null) return ["$", at + 1];
  const [whole, name = "", operator, word = ""] = braced;
  const value = values[name];
  const end = at + whole.length;
  if (operator === undefined) return [value ?? "", end];
  const isSet = operator.startsWith(":")
    ? value !== undefined && value !== ""
    : value !== undefined;
  const other = () => expandVariables(word, values);
  if (operator.endsWith("+")) return [isSet ? other() : "", end];
  return [isSet ? value! : operator.endsWith("-") ? other() : "", end];
}

/** UTF-16 offset of each line's start, as `vscode-languageserver-textdocument` counts lines. */
function lineOffsets(text: string): number[] {
  const offsets = [0];
  for (const match of text.matchAll(/\r\n|\r|\n/g)) offsets.push(match.index + match[0].length);
  return offsets;
}

/** Whether a Dockerfile holds nothing but comments and blank lines: BuildKit refuses it. */
export function isEmptyDockerfile(contents: string): boolean {
  return !/^[ \t]*[^#\s]/m.test(contents);
}
