/** Walks one file of the quorum's write-ahead log, also across what is damaged. */

import { decodeFrame, type WalRecord } from '../../raft/wal-format.ts';

/** A frame as one round of group commit wrote it, or a stretch of bytes that is none. */
export type WalStretch =
  | { readonly position: number; readonly endPosition: number; readonly records: readonly WalRecord[] }
  | { readonly position: number; readonly endPosition: number; readonly records?: never };

export function* walkWal(bytes: Uint8Array, sequence: number): Generator<WalStretch> {
  let position = 0;
  while (position < bytes.length) {
    const frame = decodeFrame(bytes, sequence, position);
    if (frame) {
      yield { position, endPosition: frame.end, records: frame.records };
      position = frame.end;
      continue;
    }
    let next = position + 1;
    while (next < bytes.length && !decodeFrame(bytes, sequence, next)) next++;
    yield { position, endPosition: next };
    position = next;
  }
}
