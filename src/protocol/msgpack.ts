/**
 * msgpackr, held to the plain part of the format that messages use: nil, bool, numbers, strings, bytes and arrays. What
 * others packed is read by `msgpack-reader.ts`, which checks as it goes.
 */

import { Packr, RESET_BUFFER_MODE } from 'msgpackr';

const OPTIONS = { useRecords: false, moreTypes: false } as const;
/** A packer keeps the largest buffer that it ever needed; beyond this one it is dropped. */
const KEPT_BUFFER_BYTES_MAX = 1024 * 1024;

let packr = new Packr(OPTIONS);

/** Packs a tree of arrays; leaves `reservedBytes` zero bytes before it. The result is a buffer of its own. */
export function packArrays(tree: unknown, reservedBytes = 0): Uint8Array {
  // The next `pack` overwrites its result, so it is copied: one exact buffer, which pins no larger one.
  const packed = packr.pack(tree, RESET_BUFFER_MODE);
  const bytes = new Uint8Array(reservedBytes + packed.length);
  bytes.set(packed, reservedBytes);
  if (packed.length > KEPT_BUFFER_BYTES_MAX) packr = new Packr(OPTIONS);
  return bytes;
}
