import * as fc from 'fast-check';
import { splitBatches } from '../../src/protocol/record-batch.ts';
import { meet, type Restart, readableFiles } from './damaged-file.ts';
import { faultKind, HELD_BACK } from './fault.ts';
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
    restart: fc.constantFrom<Restart[]>('none', 'process', 'power'),
  }),
  strike: ({ target, log, fromEnd, mask, restart }, on) => {
    const member = on.resolve(target);
    const paths = readableFiles(member, log, on);
    if (!isWhole(on) || paths.length === 0) return HELD_BACK;
    const path = on.random.pick(paths);
    const { disk } = member.machine;
    const position = soundPosition(disk.peek(path) ?? new Uint8Array(0), fromEnd, path);
    return meet(member, { log, restart }, on, disk.rot(path, position, mask));
  },
});

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
