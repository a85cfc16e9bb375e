/**
 * Splits a stream of bytes into lines, without their line ends (`\n` or `\r\n`). Yields what one chunk completes at
 * once, since a promise per line would cost more than the line.
 */
export async function* linesOf(
  input: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<Uint8Array[]> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let number = 0;
  const finish = (end: Uint8Array): Uint8Array => {
    number++;
    const line = rest.length === 0 ? end : Buffer.concat([...rest, end]);
    rest = [];
    restBytes = 0;
    return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  };
  for await (const chunk of input) {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(finish(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      restBytes += chunk.length - start;
      if (restBytes > lineBytesMax) {
        throw new Error(
          `line ${number + 1} is longer than ${lineBytesMax} bytes, the most that a record can hold`,
        );
      }
    }
    if (lines.length > 0) yield lines;
  }
  // A last line may go without a line end.
  if (rest.length > 0) yield [finish(new Uint8Array())];
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
