import type { PlantedBug } from '../planted-bug.ts';

/** What the checks for linearizability are for: answers by a controller that does not know, or not yet. */
export const CONTENDED_BUGS: readonly PlantedBug[] = [
  {
    name: 'offsets fetched without asking the quorum',
    row: 'committed offsets are linearizable',
    file: 'src/coordinator/group-log.ts',
    replace: 'return this.#gather(undefined);',
    by: 'return Promise.resolve(this.image());',
    scenario: 'contended',
    seedsMax: 300,
  },
  {
    name: 'topic answered before it is committed',
    row: 'topics are linearizable',
    file: 'src/controller/shell.ts',
    replace: 'if (index <= leadership.applied.index) return Promise.resolve(reply(index));',
    by: 'if (index >= 0) return Promise.resolve(reply(index));',
    scenario: 'contended',
    seedsMax: 300,
  },
  {
    name: 'refusal before what it rests on is committed',
    row: 'topics are linearizable',
    file: 'src/controller/shell.ts',
    replace: 'if (index <= leadership.applied.index) return Promise.resolve(reply(index));',
    by: 'if (index <= leadership.applied.index || draft.records.length === 0) return Promise.resolve(reply(index));',
    scenario: 'contended',
    seedsMax: 2000,
  },
];
