import { hasUnwrittenSector } from '../platform/sectors.ts';
import { crc32c } from '../protocol/crc32c.ts';
import { RaftError } from './errors.ts';
import type { Entry, HardState } from './types.ts';
import { decodeVoterSet, encodeVoterSet } from './voter-set.ts';

/**
 * The bytes of the write-ahead log. A file is a run of frames; a frame is what one round of group commit wrote, so
 * a crash leaves whole rounds behind, and at most one torn frame, of the round whose sync never returned:
 *
 *     frame  = u32 crc32c of all that follows | u32 bodyBytes | u32 file sequence | u32 position in the file | body
 *     body   = record*
 *     record = u8 1 | f64 epoch | f64 voted id or -1 | u8 n | n bytes directory id                  hard state
 *            | u8 2 | f64 index | f64 epoch | u32 n | n bytes payload                               entry
 *            | u8 4 | f64 index | f64 epoch | u32 n | n bytes voter set                             entry that names the voters
 *            | u8 3 | f64 index | f64 epoch                                                         log reset to a snapshot
 *
 * Sequence and position are in the checksum, so a frame counts only where it was written: neither a misdirected write
 * nor a payload that looks like a frame is taken for one. All integers are big-endian.
 */
const FRAME_HEADER_BYTES = 16;

export type WalRecord =
  | { readonly kind: 'hardState'; readonly hardState: HardState }
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'reset'; readonly index: number; readonly epoch: number };

const HARD_STATE = 1;
const ENTRY = 2;
const RESET = 3;
const VOTER_SET = 4;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Encodes one round. The parts are to be written one after the other at `position`. */
export function encodeFrame(records: readonly WalRecord[], sequence: number, position: number): Uint8Array {
  let bytes = FRAME_HEADER_BYTES;
  for (const record of records) bytes += recordBytes(record);
  const frame = new Uint8Array(bytes);
  const view = new DataView(frame.buffer);
  view.setUint32(4, bytes - FRAME_HEADER_BYTES);
  view.setUint32(8, sequence);
  view.setUint32(12, position);
  let at = FRAME_HEADER_BYTES;
  for (const record of records) at = writeRecord(frame, view, at, record);
  view.setUint32(0, crc32c(frame, 4));
  return frame;
}

/** What an encoded record takes in a frame. */
export function recordBytes(record: WalRecord): number {
  if (record.kind === 'entry') return 21 + bodyOf(record.entry).length;
  if (record.kind === 'reset') return 17;
  return 18 + encoder.encode(record.hardState.votedFor?.directoryId ?? '').length;
}

const bodyOf = ({ payload, voterSet }: Entry): Uint8Array => (voterSet ? encodeVoterSet(voterSet) : payload);

function writeRecord(frame: Uint8Array, view: DataView, start: number, record: WalRecord): number {
  if (record.kind === 'entry') {
    const { index, epoch, voterSet } = record.entry;
    const body = bodyOf(record.entry);
    view.setUint8(start, voterSet ? VOTER_SET : ENTRY);
    view.setFloat64(start + 1, index);
    view.setFloat64(start + 9, epoch);
    view.setUint32(start + 17, body.length);
    frame.set(body, start + 21);
    return start + 21 + body.length;
  }
  if (record.kind === 'reset') {
    view.setUint8(start, RESET);
    view.setFloat64(start + 1, record.index);
    view.setFloat64(start + 9, record.epoch);
    return start + 17;
  }
  const { epoch, votedFor } = record.hardState;
  const directoryId = encoder.encode(votedFor?.directoryId ?? '');
  view.setUint8(start, HARD_STATE);
  view.setFloat64(start + 1, epoch);
  view.setFloat64(start + 9, votedFor?.id ?? -1);
  view.setUint8(start + 17, directoryId.length);
  frame.set(directoryId, start + 18);
  return start + 18 + directoryId.length;
}

/** Reads the frame at `position`; `undefined` when there is no whole, undamaged one. */
export function decodeFrame(
  file: Uint8Array,
  sequence: number,
  position: number,
): { readonly records: WalRecord[]; readonly end: number } | undefined {
  if (file.length - position < FRAME_HEADER_BYTES) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = position + FRAME_HEADER_BYTES + view.getUint32(position + 4);
  // The cheap checks first: a scan for later frames comes by here at every byte.
  if (view.getUint32(position + 8) !== sequence || view.getUint32(position + 12) !== position)
    return undefined;
  if (end > file.length || crc32c(file, position + 4, end) !== view.getUint32(position)) return undefined;
  const records: WalRecord[] = [];
  let at = position + FRAME_HEADER_BYTES;
  while (at < end) {
    const record = readRecord(file, view, at, end);
    if (!record) return undefined;
    records.push(record.record);
    at = record.end;
  }
  return { records, end };
}

function readRecord(
  file: Uint8Array,
  view: DataView,
  start: number,
  frameEnd: number,
): { readonly record: WalRecord; readonly end: number } | undefined {
  const type = view.getUint8(start);
  if (frameEnd - start < 17) return undefined;
  // The checksum of the frame holds: this is no damage.
  if (type > VOTER_SET)
    throw new RaftError('CATALOGUE_TOO_OLD', 'the quorum log was written by a newer release; run that');
  const first = view.getFloat64(start + 1);
  const second = view.getFloat64(start + 9);
  if (type === RESET) return { record: { kind: 'reset', index: first, epoch: second }, end: start + 17 };
  if (type === ENTRY || type === VOTER_SET) {
    const end = frameEnd - start < 21 ? Number.POSITIVE_INFINITY : start + 21 + view.getUint32(start + 17);
    if (end > frameEnd) return undefined;
    // A copy: a slice of the file would keep the whole file in memory.
    const payload = file.slice(start + 21, end);
    if (type === VOTER_SET) {
      const voterSet = decodeVoterSet(payload);
      const entry = { index: first, epoch: second, payload: new Uint8Array(0), voterSet };
      return { record: { kind: 'entry', entry }, end };
    }
    return { record: { kind: 'entry', entry: { index: first, epoch: second, payload } }, end };
  }
  if (type !== HARD_STATE || frameEnd - start < 18) return undefined;
  const end = start + 18 + view.getUint8(start + 17);
  if (end > frameEnd) return undefined;
  const directoryId = decoder.decode(file.subarray(start + 18, end));
  const votedFor = second < 0 ? undefined : { id: second, directoryId };
  return { record: { kind: 'hardState', hardState: { epoch: first, votedFor } }, end };
}

/**
 * Is what stands at `position`, the last of the file, what a crash leaves of a frame: its beginning, or all of it but for some
 * sectors? A frame that is whole and wrong was perhaps synced, and a vote or an entry promised by it: that is damage.
 */
export function isTornFrame(file: Uint8Array, position: number): boolean {
  const tail = file.slice(position);
  if (tail.length < FRAME_HEADER_BYTES || hasUnwrittenSector(tail, position)) return true;
  const view = new DataView(tail.buffer);
  const bodyBytes = tail.length - FRAME_HEADER_BYTES;
  if (view.getUint32(4) <= bodyBytes) return false;
  // A length that says so may itself be what is wrong: then the checksum fits with the true one.
  view.setUint32(4, bodyBytes);
  return crc32c(tail, 4) !== view.getUint32(0);
}

/** Is there an undamaged frame anywhere behind `position`? Then what is broken before it was no torn tail. */
export function hasFrameBehind(file: Uint8Array, sequence: number, position: number): boolean {
  for (let at = position + 1; at <= file.length - FRAME_HEADER_BYTES; at++) {
    if (decodeFrame(file, sequence, at)) return true;
  }
  return false;
}
