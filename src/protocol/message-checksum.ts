/**
 * The checksum of a message on a WebSocket. TCP's own misses what a memory or a network card on the way spoils, and a metadata
 * entry, a vote or an offset that differs by a bit is worse than none.
 *
 * It is the CRC-32C of the head, and of the header of each record batch behind it. A batch's own checksum leaves out the first
 * half of that header, and readers go by the other half before they come to check it. Records it covers; these are summed once.
 */

import { readInt32 } from './bytes.ts';
import { crc32c } from './crc32c.ts';
import { PartsReader } from './message-parts.ts';
import { RECORD_BATCH_HEADER_BYTES } from './record-batch.ts';

const LENGTH_AT = 8;
/** What stands before the bytes that a batch's length counts. */
const UNCOUNTED_BYTES = 12;

/** Of the message that the parts hold: `prefixBytes` are not summed, then the head follows. @throws ProtocolError */
export function checksumOf(parts: readonly Uint8Array[], prefixBytes: number, headBytes: number): number {
  const reader = new PartsReader(parts);
  reader.skip(prefixBytes);
  let sum = reader.checksum(headBytes);
  while (reader.remaining >= RECORD_BATCH_HEADER_BYTES) {
    const header = reader.take(RECORD_BATCH_HEADER_BYTES);
    sum = crc32c(header, 0, RECORD_BATCH_HEADER_BYTES, sum);
    const recordBytes = readInt32(header, LENGTH_AT) + UNCOUNTED_BYTES - RECORD_BATCH_HEADER_BYTES;
    // No batch: what it is, others say; here all that is left counts.
    if (recordBytes < 0 || recordBytes > reader.remaining) break;
    reader.skip(recordBytes);
  }
  return reader.checksum(reader.remaining, sum);
}
