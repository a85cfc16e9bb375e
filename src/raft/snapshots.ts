import { crc32c } from '../protocol/crc32c.ts';
import { adoptEpoch, followLeader } from './election.ts';
import { sendAppends, sendTracked } from './leader.ts';
import type { Progress } from './progress.ts';
import { becomeProbe } from './progress.ts';
import type { IncomingSnapshot, RaftState } from './state.ts';
import type { ReplicaKey, SnapshotMeta, SnapshotRequest, SnapshotResponse } from './types.ts';

/** A snapshot of the applied state is durable: what it holds may leave the log, but for a short tail. Raft 7. */
export function onSnapshotSaved(s: RaftState, snapshot: SnapshotMeta): void {
  if (snapshot.index <= s.snapshot.index) return;
  if (snapshot.index > s.appliedIndex)
    throw new Error(`a snapshot at ${snapshot.index} of state at ${s.appliedIndex}`);
  s.snapshot = snapshot;
  const keepFrom = snapshot.index - s.limits.trailingEntries;
  // What is not on the disk yet is needed for the write's completion, whoever committed it.
  const base = Math.min(keepFrom, s.log.syncedIndex);
  if (base <= s.log.baseIndex) return;
  s.log.compactTo(base);
  s.emit({ kind: 'compacted', index: base });
}

// --- Leader ---------------------------------------------------------------------------------------------------

/** Sends the next chunk to a replica whose entries are gone; one is in flight at a time. */
export function sendChunk(s: RaftState, progress: Progress, nowMs: number): void {
  if (!progress.transfer) {
    progress.mode = 'snapshot';
    progress.transfer = { snapshot: s.snapshot, position: 0 };
    s.note('Sending a snapshot', {
      to: progress.key.id,
      index: s.snapshot.index,
      sizeBytes: s.snapshot.sizeBytes,
    });
  }
  for (const request of progress.inFlight.keys()) if (request.type === 'snapshot') return;
  const { snapshot, position } = progress.transfer;
  const request: SnapshotRequest = {
    type: 'snapshot',
    epoch: s.epoch,
    snapshot,
    position,
    lengthBytes: Math.min(s.limits.snapshotChunkBytes, snapshot.sizeBytes - position),
  };
  sendTracked(s, progress, request, nowMs);
}

export function onSnapshotResponse(
  s: RaftState,
  progress: Progress,
  request: SnapshotRequest,
  response: SnapshotResponse,
  nowMs: number,
): void {
  const { transfer } = progress;
  if (!transfer || transfer.snapshot.index !== request.snapshot.index) return;
  if (!response.installed) {
    transfer.position = Math.min(response.nextPosition, transfer.snapshot.sizeBytes);
    // A follower that wants the same again gets it with the next heartbeat, not in a hot loop.
    if (transfer.position > request.position) sendChunk(s, progress, nowMs);
    return;
  }
  progress.matchIndex = Math.max(progress.matchIndex, request.snapshot.index);
  becomeProbe(progress, progress.matchIndex + 1);
  sendAppends(s, progress, nowMs);
}

/** A chunk did not arrive, or its file is gone: go on with the newest snapshot, at the pace of the heartbeats. */
export function onChunkFailed(s: RaftState, progress: Progress): void {
  const { transfer } = progress;
  if (transfer && transfer.snapshot.index !== s.snapshot.index) progress.transfer = undefined;
}

// --- Follower -------------------------------------------------------------------------------------------------

/** Takes one chunk. What was received survives lost replies and repeats: the answer names where to go on. */
export function onSnapshotRequest(
  s: RaftState,
  from: ReplicaKey,
  request: SnapshotRequest,
  token: number,
  nowMs: number,
): void {
  if (request.epoch < s.epoch) {
    answer(s, token, 0, false);
    return;
  }
  adoptEpoch(s, request.epoch, nowMs);
  followLeader(s, from.id, nowMs);
  const { snapshot } = request;
  if (snapshot.sizeBytes > s.limits.snapshotBytesMax) {
    s.note('Refused a snapshot: it is larger than snapshotBytesMax', { sizeBytes: snapshot.sizeBytes });
    answer(s, token, 0, false);
    return;
  }
  if (snapshot.index <= s.commitIndex || s.log.epochAt(snapshot.index) === snapshot.epoch) {
    // This log holds all of it already, and the snapshot proves that it is committed.
    if (snapshot.index > s.commitIndex) s.setCommitIndex(snapshot.index);
    s.incoming = undefined;
    answer(s, token, snapshot.sizeBytes, true);
    return;
  }
  const incoming = receive(s, request);
  if (incoming.receivedBytes < snapshot.sizeBytes) {
    answer(s, token, incoming.receivedBytes, false);
    return;
  }
  s.incoming = undefined;
  const bytes = concat(incoming);
  if (crc32c(bytes) !== snapshot.crc) {
    s.note('Refused a snapshot: its checksum is wrong', { index: snapshot.index });
    answer(s, token, 0, false);
    return;
  }
  install(s, snapshot, bytes);
  answer(s, token, snapshot.sizeBytes, true);
}

function receive(s: RaftState, request: SnapshotRequest): IncomingSnapshot {
  const { snapshot, chunk = new Uint8Array(0) } = request;
  if (s.incoming?.meta.index !== snapshot.index || s.incoming.meta.crc !== snapshot.crc) {
    s.incoming = { meta: snapshot, chunks: [], receivedBytes: 0 };
  }
  const { incoming } = s;
  const fits = incoming.receivedBytes + chunk.length <= snapshot.sizeBytes;
  if (request.position === incoming.receivedBytes && fits) {
    incoming.chunks.push(chunk);
    incoming.receivedBytes += chunk.length;
  }
  return incoming;
}

function install(s: RaftState, meta: SnapshotMeta, bytes: Uint8Array): void {
  s.note('Installing a snapshot', { index: meta.index, snapshotEpoch: meta.epoch, sizeBytes: bytes.length });
  s.log.reset(meta);
  s.settleRole();
  s.snapshot = meta;
  s.commitIndex = meta.index;
  s.appliedIndex = meta.index;
  s.received = { meta, bytes };
}

function answer(s: RaftState, token: number, nextPosition: number, installed: boolean): void {
  // `installed` lets the leader count this replica for everything in the snapshot.
  const afterSync = installed || !s.isEpochSynced;
  s.reply(token, { type: 'snapshot', epoch: s.epoch, nextPosition, installed }, { afterSync });
}

function concat(incoming: IncomingSnapshot): Uint8Array {
  const bytes = new Uint8Array(incoming.receivedBytes);
  let position = 0;
  for (const chunk of incoming.chunks) {
    bytes.set(chunk, position);
    position += chunk.length;
  }
  return bytes;
}
