import { expect, test } from 'vitest';
import { votersLost } from '../../src/cli/quorum-text.ts';

const replica = (replicaId: number, directoryId: string) => ({
  ...{ replicaId, directoryId, logEndOffset: 7, lastResponseMsAgo: 100 },
});

test('a voter that came back with another disk is named', () => {
  const currentVoters = [replica(1, 'a'), replica(2, 'b'), replica(3, 'c')];
  expect(votersLost({ currentVoters, observers: [replica(4, 'd')] })).toEqual([]);
  expect(votersLost({ currentVoters, observers: [replica(4, 'd'), replica(3, 'e')] })).toEqual([3]);
});
