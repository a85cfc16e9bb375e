/** msgpackr, held to the plain part of the format that messages use: nil, bool, numbers, strings, bytes and arrays. */

import { Packr, RESET_BUFFER_MODE, Unpackr } from 'msgpackr';
import { skimMsgpack } from './msgpack-skim.ts';
import { ProtocolError } from './protocol-error.ts';

const OPTIONS = { useRecords: false, moreTypes: false, int64AsType: 'number', copyBuffers: true } as const;
/** A packer keeps the largest buffer that it ever needed; beyond this one it is dropped. */
const KEPT_BUFFER_BYTES_MAX = 1024 * 1024;

let packr = new Packr(OPTIONS);
const unpackr = new Unpackr(OPTIONS);

/** Packs a tree of arrays; leaves `reservedBytes` zero bytes before it. The result is a buffer of its own. */
export function packArrays(tree: unknown, reservedBytes = 0): Uint8Array {
  // The next `pack` overwrites its result, so it is copied: one exact buffer, which pins no larger one.
  const packed = packr.pack(tree, RESET_BUFFER_MODE);
  const bytes = new Uint8Array(reservedBytes + packed.length);
  bytes.set(packed, reservedBytes);
  if (packed.length > KEPT_BUFFER_BYTES_MAX) packr = new Packr(OPTIONS);
  return bytes;
}

/** Checks and unpacks what `packArrays` made. Throws nothing but `ProtocolError`; byte arrays in it are copies. */
export function unpackArrays(bytes: Uint8Array): unknown {
  skimMsgpack(bytes);
  try {
    // A plain view of our own: msgpackr leaves a property on what it reads, and Node's Buffer would breed Buffers.
    return unpackr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (cause) {
    throw new ProtocolError('the message cannot be unpacked', { cause });
  }
}
