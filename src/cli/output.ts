/** What commands print: text and JSON to standard output, in aligned columns where there are several. */

let readerGone: () => void = () => process.exit(process.exitCode ?? 0);

/** Instead of ending the process, when whoever reads the standard output went away (`| head`). */
export function whenReaderGone(action: () => void): void {
  readerGone = action;
}

/** A reader that went away is a normal end; any other failure to write is not. */
export function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') readerGone();
    else {
      process.stderr.write(`cannot write to the standard output: ${error.message}\n`);
      process.exit(1);
    }
  });
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function sayJson(value: unknown): void {
  say(JSON.stringify(value));
}

const NUMBER = /^(-?\d+(\.\d+)?|-)$/;

export type Cell = string | number | null | undefined;

/** Columns aligned under their titles, numbers to the right; what there is not is a dash. */
export function table(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [titles, ...rows.map((row) => row.map((cell) => cellText(cell)))];
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const isNumeric = titles.map((_, column) =>
    lines.slice(1).every((line) => NUMBER.test(line[column] ?? '')),
  );
  return lines
    .map((line) =>
      line
        .map((text, column) => {
          const width = widths[column] ?? 0;
          return isNumeric[column] ? text.padStart(width) : text.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cellText(cell: Cell): string {
  return cell === null || cell === undefined || cell === '' ? '-' : String(cell);
}
