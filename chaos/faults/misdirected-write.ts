import * as fc from 'fast-check';
import { meet, type Restart, readableFiles } from './damaged-file.ts';
import { faultKind, HELD_BACK } from './fault.ts';
import { aLog, aTarget } from './target.ts';
import { hasQuorumWithout, isWhole } from './whole.ts';

const SECTOR_BYTES = 512;

/**
 * The disk wrote some sectors to another place of the file: they are missing where they belong, and lie over something else.
 * Recoverable for the reasons that bit rot is.
 */
export const misdirectedWrite = faultKind({
  kind: 'misdirectedWrite',
  weight: 2,
  params: fc.record({
    target: aTarget,
    log: aLog,
    /** Which sector, and how many, from the file's end on; and by how many it went astray, to the front. */
    fromEnd: fc.integer({ min: 1, max: 20 }),
    sectors: fc.integer({ min: 1, max: 4 }),
    astray: fc.integer({ min: 1, max: 20 }),
    restart: fc.constantFrom<Restart[]>('none', 'process', 'power'),
  }),
  strike: ({ target, log, fromEnd, sectors, astray, restart }, on) => {
    const member = on.resolve(target);
    const { disk } = member.machine;
    const files = disk.files();
    const paths = readableFiles(member, log, on).filter((path) => (files.get(path) ?? 0) > SECTOR_BYTES);
    if (!isWhole(on) || !hasQuorumWithout(member, on) || paths.length === 0) return HELD_BACK;
    const path = on.random.pick(paths);
    const last = Math.ceil((files.get(path) ?? 0) / SECTOR_BYTES) - 1;
    const from = Math.max(1, last + 1 - fromEnd);
    const length = Math.min(sectors * SECTOR_BYTES, (files.get(path) ?? 0) - from * SECTOR_BYTES);
    const to = Math.max(0, from - astray);
    const takeBack = disk.misdirect(path, from * SECTOR_BYTES, to * SECTOR_BYTES, length);
    // What is missing at the end of the quorum's log cannot be told from a write that a power loss interrupted: so one did.
    return meet(member, { log, restart: log === 'raft' ? 'power' : restart }, on, takeBack);
  },
});
