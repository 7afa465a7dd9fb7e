const MAX_TITLE = 100;

/** How a command is shown: as typed where it is `sh -c TEXT`, else its words. */
export function commandText(argv: readonly string[]): string {
  return argv.length === 3 && /^(?:\/bin\/)?sh$/.test(argv[0]!) && argv[1] === "-c"
    ? argv[2]!
    : argv.join(" ");
}

/** A command in a sentence: its first line, at most 100 characters of it, and `…` for what is left out. */
export function commandTitle(argv: readonly string[]): string {
  const text = commandText(argv).trim();
  const [line = ""] = text.split("\n");
  if (line === text && line.length <= MAX_TITLE) return line;
  return `${line.slice(0, MAX_TITLE).replace(/[\s\ud800-\udbff]+$/, "")} …`;
}
