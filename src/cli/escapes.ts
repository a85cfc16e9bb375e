import { UsageError } from './run.ts';

const SIMPLE: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, '0': 0, '\\': 92 };

/** The bytes of a text in which `\n`, `\r`, `\t`, `\0`, `\\` and `\xNN` stand for one byte each. @throws UsageError */
export function unescaped(text: string, option: string): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [piece, hex, letter] of text.matchAll(/\\x([0-9a-fA-F]{2})|\\(.?)|[^\\]+/gs)) {
    if (hex !== undefined) parts.push(Uint8Array.of(Number.parseInt(hex, 16)));
    else if (letter === undefined) parts.push(Buffer.from(piece));
    else parts.push(Uint8Array.of(SIMPLE[letter] ?? unknown(piece, option)));
  }
  return Buffer.concat(parts);
}

function unknown(piece: string, option: string): never {
  throw new UsageError(`${option}: there is no ${piece}; there are \\n, \\r, \\t, \\0, \\\\ and \\xNN`);
}
