/** What Kubernetes allows for names and labels (apimachinery's util/validation and api/validation/path). */
import { goQuote } from "./go/quote.ts";

const MAX_LABEL_LENGTH = 63;
const NAME_FORMAT = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const NAME_PATTERN = new RegExp(`^${NAME_FORMAT}$`);
const NAME_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const NAME_EXAMPLES = `(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${NAME_FORMAT}')`;
const VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const VALUE_EXAMPLES = `(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${NAME_FORMAT})?')`;
const SUBDOMAIN_FORMAT = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

/**
 * Checks the name of a resource: a path segment.
 * @throws Error in Tilt's words
 */
export function checkName(name: string): void {
  const problem =
    name === "." || name === ".."
      ? `may not be '${name}'`
      : ["/", "%"]
          .filter((char) => name.includes(char))
          .map((char) => `may not contain '${char}'`)[0];
  if (problem !== undefined) throw new Error(`invalid value ${goQuote(name)}: ${problem}`);
}

/**
 * Checks a label of a resource: a Kubernetes label value that could be a label key as well.
 * @throws Error in Tilt's words
 */
export function checkLabel(label: string): void {
  for (const problems of [qualifiedNameProblems(label), labelValueProblems(label)]) {
    if (problems.length > 0) {
      throw new Error(`Invalid label ${goQuote(label)}: ${problems.join(", ")}`);
    }
  }
  if (label.includes("/")) throw new Error(`Invalid label ${goQuote(label)}: cannot contain /`);
}

function qualifiedNameProblems(text: string): string[] {
  const parts = text.split("/");
  if (parts.length > 2) {
    return [
      `a valid label key ${NAME_RULE} ${NAME_EXAMPLES} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1)!;
  const problems = parts.length === 2 ? prefixProblems(parts[0]!) : [];
  if (name === "") problems.push("name part must be non-empty");
  else if (byteLength(name) > MAX_LABEL_LENGTH)
    problems.push(`name part ${tooLong(MAX_LABEL_LENGTH)}`);
  if (!NAME_PATTERN.test(name)) problems.push(`name part ${NAME_RULE} ${NAME_EXAMPLES}`);
  return problems;
}

function prefixProblems(prefix: string): string[] {
  if (prefix === "") return ["prefix part must be non-empty"];
  const problems: string[] = [];
  if (byteLength(prefix) > 253) problems.push(`prefix part ${tooLong(253)}`);
  if (!new RegExp(`^${SUBDOMAIN_FORMAT}$`).test(prefix)) {
    problems.push(
      `prefix part ${SUBDOMAIN_RULE} (e.g. 'example.com', regex used for validation is '${SUBDOMAIN_FORMAT}')`,
    );
  }
  return problems;
}

function labelValueProblems(text: string): string[] {
  const problems: string[] = [];
  if (byteLength(text) > MAX_LABEL_LENGTH) problems.push(tooLong(MAX_LABEL_LENGTH));
  if (text !== "" && !NAME_PATTERN.test(text)) problems.push(`${VALUE_RULE} ${VALUE_EXAMPLES}`);
  return problems;
}

function tooLong(length: number): string {
  return `must be no more than ${length} bytes`;
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
