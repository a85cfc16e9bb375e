/**
 * Reading a log back after a crash, as pure decisions: how far its batches are valid, and whether what ends them is a
 * torn tail (a write that never completed, so nobody was promised it) or corruption.
 */

import { crc32c } from '../protocol/crc32c.ts';
import {
  lastOffsetOf,
  RECORD_BATCH_HEADER_BYTES,
  RECORD_BATCH_MAGIC,
  RecordBatchError,
  type RecordBatchHeader,
  readBatchHeader,
  verifyBatch,
} from '../protocol/record-batch.ts';

/** Base offset and length: what the length does not count. */
const LENGTH_END = 12;

export interface ScanResult {
  /** Bytes of valid batches from the start. */
  readonly consumedBytes: number;
  readonly nextOffset: number;
  /** `more`: the next batch is not complete here and needs `neededBytes`. `broken`: it is wrong. */
  readonly stop: 'more' | 'broken';
  readonly neededBytes: number;
  /** Of a broken batch: what is wrong with it. */
  readonly problem: string;
}

/** Visits the valid batches at the start of `bytes`, whose offsets go on from `expectedOffset` without a gap. */
export function scanBatches(
  bytes: Uint8Array,
  expectedOffset: number,
  visit: (header: RecordBatchHeader, position: number) => void,
): ScanResult {
  let position = 0;
  let nextOffset = expectedOffset;
  for (;;) {
    const step = checkBatch(bytes, position, nextOffset);
    if (step.header === undefined) return { consumedBytes: position, nextOffset, ...step };
    visit(step.header, position);
    position += step.header.sizeBytes;
    nextOffset = lastOffsetOf(step.header) + 1;
  }
}

function checkBatch(
  bytes: Uint8Array,
  position: number,
  offset: number,
):
  | { readonly header: RecordBatchHeader }
  | ({ readonly header?: never } & Pick<ScanResult, 'stop' | 'neededBytes' | 'problem'>) {
  const more = (neededBytes: number) => ({ stop: 'more', neededBytes, problem: '' }) as const;
  const broken = (problem: string) => ({ stop: 'broken', neededBytes: 0, problem }) as const;
  if (bytes.length - position < RECORD_BATCH_HEADER_BYTES) return more(RECORD_BATCH_HEADER_BYTES);
  try {
    const { baseOffset, sizeBytes, magic } = readBatchHeader(bytes, position);
    if (baseOffset !== offset) return broken(`a batch of offset ${baseOffset} where ${offset} is due`);
    if (magic !== RECORD_BATCH_MAGIC) return broken(`record format ${magic} is not supported`);
    if (sizeBytes > bytes.length - position) return more(sizeBytes);
    return { header: verifyBatch(bytes, position) };
  } catch (error) {
    if (error instanceof RecordBatchError) return broken(error.message);
    throw error;
  }
}

/**
 * The position of the first batch at or after `position` that is whole, valid and of a later offset than
 * `brokenOffset`; -1 if there is none. Looks at every byte, since a broken length says nothing of where the next begins.
 */
export function findValidBatch(bytes: Uint8Array, position: number, brokenOffset: number): number {
  const MAGIC_AT = 16;
  for (let at = position; at + RECORD_BATCH_HEADER_BYTES <= bytes.length; at++) {
    if (bytes[at + MAGIC_AT] !== RECORD_BATCH_MAGIC) continue;
    try {
      const header = readBatchHeader(bytes, at);
      if (header.baseOffset <= brokenOffset || header.sizeBytes > bytes.length - at) continue;
      verifyBatch(bytes, at);
      return at;
    } catch (error) {
      if (!(error instanceof RecordBatchError)) throw error;
    }
  }
  return -1;
}

/**
 * Whether the batch at the start of `bytes`, which go to the file's end, is not there whole. A length that says so may itself
 * be what is wrong: then the checksum fits what there is.
 */
export function isCutShort(bytes: Uint8Array): boolean {
  const MAGIC_AT = 16;
  const CRC_AT = 17;
  const CRC_FROM = 21;
  if (bytes.length < RECORD_BATCH_HEADER_BYTES) return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sizeBytes = LENGTH_END + view.getInt32(LENGTH_END - 4);
  if (bytes[MAGIC_AT] !== RECORD_BATCH_MAGIC || sizeBytes <= bytes.length) return false;
  return crc32c(bytes, CRC_FROM, bytes.length) !== view.getUint32(CRC_AT);
}

/** What is known about the place where the valid batches end, though the log does not. */
export interface Damage {
  readonly offset: number;
  readonly recoveryPoint: number;
  /** A valid batch of a later offset follows, in this segment or a later one. */
  readonly validBehind: boolean;
  /** The file ends within the batch. */
  readonly isCutShort: boolean;
  /** A sector of the broken part was never written. */
  readonly unwrittenSector: boolean;
  /** The machine lost power since the log was open, so that unsynced writes may be there in part. */
  readonly pageCacheLost: boolean;
  readonly flush: 'sync' | 'os';
}

export interface Verdict {
  readonly verdict: 'torn' | 'corrupt';
  readonly reason: string;
}

/** The table of cases, the first that fits. Protocol-aware recovery (FAST'18) tells why guessing `torn` loses data. */
export function judgeDamage(damage: Damage): Verdict {
  if (damage.offset < damage.recoveryPoint) {
    return { verdict: 'corrupt', reason: 'below the synced checkpoint' };
  }
  if (!damage.validBehind && damage.pageCacheLost) {
    // Whoever lost its page cache proves nothing by what it has: it enters the ISR by catching up (KIP-966).
    return { verdict: 'torn', reason: 'nothing valid follows' };
  }
  if (!damage.validBehind && damage.isCutShort)
    return { verdict: 'torn', reason: 'the last write was cut short' };
  if (damage.pageCacheLost && damage.flush === 'os') {
    // Many writes may be unsynced at once and arrive in any order. Such a replica is not trusted to lead (KIP-966).
    return { verdict: 'torn', reason: 'unsynced by config, lost with the page cache' };
  }
  if (damage.pageCacheLost && damage.unwrittenSector) {
    // One write of several batches, interrupted: its sync never returned, so nobody was promised any of it.
    return { verdict: 'torn', reason: 'a sector of the last write is missing' };
  }
  // A process that is killed leaves the beginning of its last write, never another content.
  const reason = damage.validBehind
    ? 'a valid batch follows the broken one'
    : 'the last batch is wrong, and whole';
  return { verdict: 'corrupt', reason };
}
