import * as fc from 'fast-check';
import { splitBatches } from '../../src/protocol/record-batch.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';
import { type FaultContext, faultKind, HELD_BACK } from './fault.ts';
import { aLog, aTarget } from './target.ts';
import { isWhole } from './whole.ts';

/**
 * Bits flip in one byte of a file: of the log of the quorum, after which the node has to start from it, or of a partition
 * log with its checkpoints. What nobody has found by the end was read well after all. Only where every other replica has
 * everything, and one node at a time.
 */
export const bitRot = faultKind({
  kind: 'bitRot',
  weight: 3,
  params: fc.record({
    target: aTarget,
    log: aLog,
    /** Where, from the file's end on: what was written last is the hardest to tell from a torn write. */
    fromEnd: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20_000 })),
    mask: fc.integer({ min: 1, max: 255 }),
    restart: fc.constantFrom('none', 'process', 'power'),
  }),
  strike: ({ target, log, fromEnd, mask, restart }, on) => {
    const member = on.resolve(target);
    const paths = log === 'raft' ? quorumFiles(member) : partitionFiles(member, on);
    if (!isWhole(on) || paths.length === 0) return HELD_BACK;
    const path = on.random.pick(paths);
    const { disk } = member.machine;
    const position = soundPosition(disk.peek(path) ?? new Uint8Array(0), fromEnd, path);
    const takeBack = disk.rot(path, position, mask);
    const start =
      log === 'raft' || restart !== 'none'
        ? on.kill(member, restart === 'power' ? 'power' : 'process')
        : () => {};
    return () => {
      start();
      // It has to meet the damage first.
      on.world.schedule(MEET_MS, 'end of bit rot', takeBack);
    };
  },
});

/** So long a start may take. */
const MEET_MS = 1000;

function filesOf({ machine }: ClusterNode, within: string): string[] {
  return [...machine.disk.files()].flatMap(([path, size]) =>
    size > 0 && path.includes(within) ? [path] : [],
  );
}

const quorumFiles = (member: ClusterNode): string[] =>
  filesOf(member, '/raft/').filter((path) => !path.endsWith('.tmp'));

/** Of the main topic alone: its records are on two disks at least. */
function partitionFiles(member: ClusterNode, { image, workloads }: FaultContext): string[] {
  const topic = image().topicByName(workloads.topic.name);
  return topic ? filesOf(member, `/log/${topic.id}-`) : [];
}

/** A batch's leader epoch is stamped by the leader, and so outside its checksum: rot there is not found, as in Kafka. */
function soundPosition(bytes: Uint8Array, fromEnd: number, path: string): number {
  const position = Math.max(0, bytes.length - fromEnd);
  if (!path.endsWith('.log')) return position;
  const EPOCH_AT = 12;
  const EPOCH_BYTES = 4;
  for (const batch of splitBatches(bytes)) {
    const at = position - (batch.byteOffset - bytes.byteOffset);
    if (at >= EPOCH_AT && at < EPOCH_AT + EPOCH_BYTES) return position + EPOCH_BYTES;
  }
  return position;
}
