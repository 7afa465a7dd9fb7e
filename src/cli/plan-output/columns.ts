const GAP = "  ";

/** Rows as text columns, indented; nothing trails a line. */
export function formatColumns(rows: readonly (readonly string[])[]): string {
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

/** Code points, which is what most terminals give a column each. */
function displayWidth(text: string): number {
  return [...text].length;
}
