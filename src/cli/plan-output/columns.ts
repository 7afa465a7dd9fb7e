import { oneLine } from "./one-line.ts";

const GAP = "  ";

/** Rows as text columns, indented; nothing trails a line. */
export function formatColumns(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(oneLine));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
    }
  }
  return rows
    .map((row) => row.map((cell, column) => pad(cell, widths[column]!)).join(GAP))
    .map((line) => `${GAP}${line}`.trimEnd())
    .join("\n");
}

function pad(cell: string, width: number): string {
  return cell + " ".repeat(width - displayWidth(cell));
}

/** East Asian characters and emoji, which take two columns; combining marks take none. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu;
const MARK = /[\p{Mn}\p{Me}\p{Cf}]/gu;

/** The columns that a terminal gives a text, as far as can be told. */
function displayWidth(text: string): number {
  const shown = text.replaceAll(MARK, "");
  return [...shown].length + (shown.match(WIDE)?.length ?? 0);
}
