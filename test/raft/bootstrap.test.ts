import { describe, expect, it } from 'vitest';
import { decideBootstrap, type PeerAnswer } from '../../src/raft/bootstrap.ts';

const self = { id: 1, directoryId: 'd1' };
const blank = (id: number): [number, PeerAnswer] => [id, { directoryId: `d${id}`, cluster: undefined }];
const member = (id: number, clusterId: string): [number, PeerAnswer] => [
  id,
  { directoryId: `d${id}`, cluster: { clusterId, voters: [self] } },
];

describe('what a blank node does', () => {
  it('creates the cluster as the lowest voter, once everybody is known to be blank', () => {
    expect(decideBootstrap(self, [1, 2, 3], new Map([blank(2), blank(3)]))).toEqual({
      kind: 'create',
      voters: [1, 2, 3].map((id) => ({ id, directoryId: `d${id}` })),
    });
    expect(decideBootstrap(self, [1], new Map())).toMatchObject({ kind: 'create', voters: [self] });
  });

  it('waits while a voter is silent, and for the lowest one to begin', () => {
    expect(decideBootstrap(self, [1, 2, 3], new Map([blank(2)]))).toMatchObject({
      kind: 'wait',
      reason: expect.stringContaining('voter 3'),
    });
    const other = { id: 2, directoryId: 'd2' };
    expect(decideBootstrap(other, [1, 2], new Map([blank(1)]))).toMatchObject({
      kind: 'wait',
      reason: expect.stringContaining('voter 1'),
    });
    // A node that is no configured voter never begins.
    const outsider = { id: 0, directoryId: 'd0' };
    expect(decideBootstrap(outsider, [1, 2], new Map([blank(1), blank(2)]))).toMatchObject({ kind: 'wait' });
  });

  it('joins what a single peer knows, whoever else is silent', () => {
    const decision = decideBootstrap(self, [1, 2, 3], new Map([member(3, 'A')]));
    expect(decision).toMatchObject({ kind: 'join', membership: { clusterId: 'A' } });
  });

  it('refuses peers of different clusters', () => {
    const answers = new Map([member(2, 'A'), member(3, 'B')]);
    expect(() => decideBootstrap(self, [1, 2, 3], answers)).toThrow(/different clusters, A and B/);
  });
});
