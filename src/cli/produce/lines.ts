import { asBuffer } from '../record-json.ts';

const NEWLINE = Buffer.from('\n');
const CARRIAGE_RETURN = 0x0d;
const NOTHING = new Uint8Array(0);

/**
 * Splits a stream of bytes at a delimiter, by default into lines, which end with `\n` or `\r\n`. Yields what one chunk
 * completes at once, since a promise per line would cost more than the line.
 */
export async function* linesOf(
  input: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
  delimiter: Uint8Array = NEWLINE,
): AsyncGenerator<Uint8Array[]> {
  const isText = NEWLINE.equals(delimiter);
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  /** The end of the last chunk, in which a delimiter of several bytes may have begun. */
  let tail: Uint8Array = NOTHING;
  let number = 0;
  const finish = (end: Uint8Array): Uint8Array => {
    number++;
    const line = rest.length === 0 ? end : Buffer.concat([...rest, end]);
    rest = [];
    restBytes = 0;
    return isText && line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  };
  for await (const chunk of input) {
    const bytes = asBuffer(tail.length === 0 ? chunk : Buffer.concat([tail, chunk]));
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = bytes.indexOf(delimiter); end >= 0; end = bytes.indexOf(delimiter, start)) {
      lines.push(finish(bytes.subarray(start, end)));
      start = end + delimiter.length;
    }
    const tailStart = Math.max(start, bytes.length - delimiter.length + 1);
    tail = bytes.subarray(tailStart);
    if (start < tailStart) {
      rest.push(bytes.subarray(start, tailStart));
      restBytes += tailStart - start;
      if (restBytes > lineBytesMax) {
        throw new Error(
          `line ${number + 1} is longer than ${lineBytesMax} bytes, the most that a record can hold`,
        );
      }
    }
    if (lines.length > 0) yield lines;
  }
  // A last line may go without a line end.
  if (rest.length > 0 || tail.length > 0) yield [finish(tail)];
}

/** All of the input as one piece. */
export async function* wholeOf(
  input: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bytesMax)
      throw new Error(`the input is longer than ${bytesMax} bytes, the most that a record can hold`);
  }
  yield [Buffer.concat(chunks)];
}
