/**
 * CRC-32C (Castagnoli), the checksum of record batches. In JavaScript by slicing-by-8, unless the platform installs
 * a native one with `setCrc32c`.
 */

/** The CRC-32C of `bytes[start, end)` as an unsigned 32-bit number; of all up to there, if `before` is that of what precedes. */
export type Crc32c = (bytes: Uint8Array, start: number, end: number, before: number) => number;

/** The polynomial 0x1EDC6F41, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

/** One flat array of eight tables, 256 entries each: table k advances a byte by k further zero bytes. */
const TABLES = buildTables();

function buildTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const previous = tables[i - 256] as number;
    tables[i] = (previous >>> 8) ^ (tables[previous & 0xff] as number);
  }
  return tables;
}

/** The implementation in JavaScript; exported to compare others with. */
export function crc32cJs(bytes: Uint8Array, start: number, end: number, before = 0): number {
  const t = TABLES;
  let crc = ~before;
  let i = start;
  for (const last = end - 8; i <= last; i += 8) {
    const low =
      crc ^
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24));
    crc =
      (t[1792 + (low & 0xff)] as number) ^
      (t[1536 + ((low >>> 8) & 0xff)] as number) ^
      (t[1280 + ((low >>> 16) & 0xff)] as number) ^
      (t[1024 + (low >>> 24)] as number) ^
      (t[768 + (bytes[i + 4] as number)] as number) ^
      (t[512 + (bytes[i + 5] as number)] as number) ^
      (t[256 + (bytes[i + 6] as number)] as number) ^
      (t[bytes[i + 7] as number] as number);
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[i] as number)) & 0xff] as number);
  return ~crc >>> 0;
}

let implementation: Crc32c = crc32cJs;

/** Replaces the implementation, for the whole process. The caller has checked that it gives the same results. */
export function setCrc32c(native: Crc32c): void {
  implementation = native;
}

/** The CRC-32C of `bytes[start, end)`, unsigned; with the sum `before` of what precedes them, that of both. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  return implementation(bytes, start, end, before);
}
