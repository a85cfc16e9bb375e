/** UTF-8 without garbage: lengths and short ASCII texts need neither a TextEncoder's buffer nor a TextDecoder. */

const encoder = new TextEncoder();
// A leading byte order mark is a character like any other here.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const ASCII_FAST_BYTES_MAX = 32;

/** How many bytes a text takes. A lone surrogate counts as the replacement character, as TextEncoder writes it. */
export function utf8Bytes(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) count += 1;
    else {
      count += 2;
      // A pair is two units and four bytes: its second unit is counted already.
      if (isSurrogatePair(text, i)) i++;
    }
  }
  return count;
}

function isSurrogatePair(text: string, i: number): boolean {
  return (text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
}

/** Writes a text that is known to fit; returns the position behind it. */
export function writeUtf8(bytes: Uint8Array, position: number, text: string): number {
  const { length } = text;
  if (length <= ASCII_FAST_BYTES_MAX) {
    let i = 0;
    for (; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) break;
      bytes[position + i] = unit;
    }
    if (i === length) return position + length;
  }
  return position + encoder.encodeInto(text, bytes.subarray(position)).written;
}

/** The text in `bytes[start, end)`. */
export function readUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const length = end - start;
  if (length > ASCII_FAST_BYTES_MAX) return decoder.decode(bytes.subarray(start, end));
  const units: number[] = new Array(length);
  for (let i = 0; i < length; i++) {
    const byte = bytes[start + i] as number;
    if (byte >= 0x80) return decoder.decode(bytes.subarray(start, end));
    units[i] = byte;
  }
  // All at once: to add them one by one makes a tree of strings, which costs three times as much.
  return String.fromCharCode.apply(undefined, units);
}
