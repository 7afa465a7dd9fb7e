import junitReportBuilder, {
  type Builder,
  type TestCase,
  type TestSuite,
} from "junit-report-builder";

/*
 * junit-report-builder, with what it lacks: `line`, `hostname` and other attributes, a message on `skipped`, bodies of
 * failures as text, `flakyFailure` and `rerunFailure`, a time on the root. Its own bodies are CDATA sections in which it
 * splits only the first `]]>`; text nodes are escaped throughout.
 */

/** The element interface of xmlbuilder that the builder builds with. */
interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  att(name: string, value: string | number): XmlElement;
  ele(name: string, attributes?: Readonly<Record<string, string>>, text?: string): XmlElement;
  txt(text: string): XmlElement;
}

export interface RetriedAttempt {
  readonly type: string;
  readonly message: string;
  readonly stackTrace: string;
}

/** What a case has beyond the builder's own methods. All text must be plain (no ANSI, no illegal characters). */
export interface CaseExtras {
  readonly line?: number;
  readonly skippedMessage?: string;
  /** The text inside `failure` or `error`. */
  readonly body?: string;
  /** Attempts before one that passed (flaky), or before the last one that failed (rerun). */
  readonly retried?: { readonly passed: boolean; readonly attempts: readonly RetriedAttempt[] };
  readonly systemOut?: string;
}

// The package's types say `exports.default`, its code `module.exports`.
const factory = junitReportBuilder as unknown as Builder;

/** A builder whose root says how long the run took, in seconds. */
export function createJunit(name: string, seconds: number): Builder {
  const builder = factory.newBuilder();
  builder.name(name);
  // The only way to the root: the builder offers `name` alone.
  const root = (builder as unknown as { _rootTestSuites: { time(s: string): void } })
    ._rootTestSuites;
  root.time(formatSeconds(seconds));
  return builder;
}

/** Decimal seconds, never in exponents: Jenkins' schema has a pattern for it. */
export function formatSeconds(seconds: number): string {
  return Math.max(0, seconds).toFixed(3);
}

/** Adds attributes that the builder does not know. */
export function setAttributes(
  node: TestSuite | TestCase,
  attributes: Readonly<Record<string, string | number>>,
): void {
  extend(node, (element) => {
    for (const [name, value] of Object.entries(attributes)) element.att(name, value);
  });
}

/** Adds what `CaseExtras` holds when the case is built. */
export function extendCase(testCase: TestCase, extras: CaseExtras): void {
  extend(testCase, (element) => {
    if (extras.line !== undefined) element.att("line", extras.line);
    for (const child of element.children) {
      if (child.name === "skipped" && extras.skippedMessage !== undefined)
        child.att("message", extras.skippedMessage);
      if ((child.name === "failure" || child.name === "error") && extras.body !== undefined)
        child.txt(extras.body);
    }
    const tag = extras.retried?.passed ? "flakyFailure" : "rerunFailure";
    for (const { type, message, stackTrace } of extras.retried?.attempts ?? [])
      element.ele(tag, { message, type }).ele("stackTrace", {}, stackTrace);
    if (extras.systemOut !== undefined) element.ele("system-out", {}, extras.systemOut);
  });
}

function extend(node: TestSuite | TestCase, more: (element: XmlElement) => void): void {
  const original = node.build.bind(node);
  // biome-ignore lint/suspicious/noExplicitAny: xmlbuilder's types are no dependency of ours.
  node.build = (parent?: any): any => {
    const element = original(parent);
    more(element as unknown as XmlElement);
    return element;
  };
}
