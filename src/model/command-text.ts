const MAX_TITLE = 100;

/** How a command is shown: as typed where it is `sh -c TEXT`, else its words. */
export function commandText(argv: readonly string[]): string {
  return argv.length === 3 && /^(?:\/bin\/)?sh$/.test(argv[0]!) && argv[1] === "-c"
    ? argv[2]!
    : argv.join(" ");
}

/** Lines of a script that tell nothing of what it does: settings of the shell and comments. */
const PREAMBLE = /^\s*(?:set [-+]|#|$)/;

/** A command in a sentence: its first telling line, at most 100 characters of it, and `…` for what is left out. */
export function commandTitle(argv: readonly string[]): string {
  const text = commandText(argv).trim();
  const line = text.split("\n").find((each) => !PREAMBLE.test(each)) ?? text;
  const start = line.trim();
  if (start === text && start.length <= MAX_TITLE) return text;
  return `${start.slice(0, MAX_TITLE).replace(/[\s\ud800-\udbff]+$/, "")} …`;
}
