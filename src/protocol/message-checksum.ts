/**
 * The checksum of a message on a WebSocket. TCP's own misses what a memory or a network card on the way spoils, and a metadata
 * entry, a vote or an offset that differs by a bit is worse than none.
 *
 * It is the CRC-32C of the head, and of what the checksum of each record batch behind it does not cover: its base offset,
 * length, leader epoch, magic and that checksum itself. Whoever takes a batch checks that one, so records are summed once.
 */

import { readInt32 } from './bytes.ts';
import { crc32c } from './crc32c.ts';
import { PartsReader } from './message-parts.ts';

const UNCHECKED_BYTES = 21;
const LENGTH_AT = 8;
/** What stands before the bytes that a batch's length counts. */
const UNCOUNTED_BYTES = 12;

/** Of the message that the parts hold: `prefixBytes` are not summed, then the head follows. @throws ProtocolError */
export function checksumOf(parts: readonly Uint8Array[], prefixBytes: number, headBytes: number): number {
  const reader = new PartsReader(parts);
  reader.skip(prefixBytes);
  let sum = crc32c(reader.take(headBytes));
  while (reader.remaining >= UNCHECKED_BYTES) {
    const unchecked = reader.take(UNCHECKED_BYTES);
    sum = crc32c(unchecked, 0, UNCHECKED_BYTES, sum);
    const checkedBytes = readInt32(unchecked, LENGTH_AT) + UNCOUNTED_BYTES - UNCHECKED_BYTES;
    // No batch: what it is, others say; here all that is left counts.
    if (checkedBytes < 0 || checkedBytes > reader.remaining) break;
    reader.skip(checkedBytes);
  }
  const rest = reader.take(reader.remaining);
  return crc32c(rest, 0, rest.length, sum);
}
