/** A text archive: a comment, then files under `-- name --` lines. */
export interface Txtar {
  readonly comment: string;
  readonly files: Readonly<Record<string, string>>;
}

const MARKER = /^-- (.+) --$/;

export function parseTxtar(text: string): Txtar {
  const files: Record<string, string> = {};
  let name: string | undefined;
  let lines: string[] = [];
  let comment = "";
  const close = () => {
    const content = lines.map((line) => `${line}\n`).join("");
    if (name === undefined) comment = content;
    else files[name] = content;
    lines = [];
  };
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const marker = MARKER.exec(line)?.[1];
    if (marker === undefined) lines.push(line);
    else {
      close();
      name = marker;
    }
  }
  close();
  return { comment, files };
}

export function formatTxtar({ comment, files }: Txtar): string {
  return (
    comment +
    Object.entries(files)
      .map(([name, content]) => `-- ${name} --\n${content}`)
      .join("")
  );
}
