/** Colours on a terminal that wants them (https://no-color.org), plain text everywhere else. */

type Paint = (text: string) => string;

const paint =
  (code: number): Paint =>
  (text) =>
    isColourful() ? `\x1b[${code}m${text}\x1b[0m` : text;

export const bold = paint(1);
export const red = paint(31);
export const green = paint(32);
export const yellow = paint(33);

function isColourful(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}
