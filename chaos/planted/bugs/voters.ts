import type { PlantedBug } from '../planted-bug.ts';

const planted = { scenario: 'voters', seedsMax: 50 } as const;

/** Of voters that change; `test/raft/voters-fuzz.test.ts` catches more of them, which whole clusters reach seldom. */
export const VOTER_BUGS: readonly PlantedBug[] = [
  {
    name: 'voters changed over an open change',
    row: 'single-server membership',
    file: 'src/raft/voter-changes.ts',
    replace: "if (s.log.voterSetIndex > s.commitIndex) return 'changePending';",
    by: '',
    scenario: 'voters',
    seedsMax: 500,
  },
  {
    name: 'removed leader counts itself',
    row: 'leader outside the voters (KAFKA-16530)',
    file: 'src/raft/commit.ts',
    replace: 'const matches = s.voters.map((voter) =>',
    by: 'const matches = (s.isVoter ? s.voters : [s.self, ...s.voters.slice(1)]).map((voter) =>',
    ...planted,
  },
  {
    name: 'removed leader stays',
    row: 'leader outside the voters (KAFKA-17608)',
    file: 'src/raft/core.ts',
    replace: 'if (isRemovedForGood(s)) startResigning(s, nowMs);',
    by: 'void isRemovedForGood;',
    ...planted,
  },
  {
    name: 'acknowledgements counted by node, not by disk',
    row: 'wiped disk, same id',
    file: 'src/raft/commit.ts',
    replace: '(s.replicas.get(keyOf(voter))?.matchIndex ?? 0)',
    by: 'Math.max(0, ...[...s.replicas.values()].filter(({ key }) => key.id === voter.id).map((each) => each.matchIndex))',
    ...planted,
  },
  {
    name: 'wiped disk votes as its old self',
    row: 'wiped disk, same id',
    file: 'src/raft/node.ts',
    replace:
      'const isMeant = target.voterId === this.#self.id && target.voterDirectoryId === this.#self.directoryId;',
    by: 'const isMeant = target.voterId === this.#self.id;',
    ...planted,
  },
  {
    name: 'wiped disk taken for a voter',
    row: 'wiped disk, same id',
    file: 'src/raft/voter-set.ts',
    replace: 'set.voters.some((voter) => isSame(voter, replica));',
    by: 'set.voters.some((voter) => voter.id === replica.id);',
    ...planted,
  },
  {
    name: 'wiped voter never takes its seat',
    row: 'wiped disk, same id',
    file: 'src/raft/core.ts',
    replace: 'maybeReplaceWiped(s, nowMs);',
    by: 'void maybeReplaceWiped;',
    ...planted,
  },
  {
    name: 'voters changed before an entry of the epoch is committed',
    row: 'single-server membership (Ongaro 2015)',
    file: 'src/raft/voter-changes.ts',
    replace: "if (!s.noOpCommitted) return 'epochOpen';",
    by: '',
    scenario: 'voters',
    seedsMax: 2000,
  },
];
