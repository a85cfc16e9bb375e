import { expect, test } from 'vitest';
import { InstallSnapshot } from '../../src/protocol/messages/install-snapshot.ts';
import type { SnapshotRequest } from '../../src/raft/types.ts';
import { requestFromWire, toWire } from '../../src/raft/wire.ts';

const VOTER = { id: 1, directoryId: 'AQEBAQEBAQEBAQEBAQEBAQ' };
const known = { voters: [VOTER], vacant: [] };
const changed = { voters: [VOTER, { ...VOTER, id: 2 }], vacant: [] };
const request: SnapshotRequest = {
  type: 'snapshot',
  epoch: 1,
  snapshot: { index: 5, epoch: 1, sizeBytes: 0, crc: 0, voterSet: changed },
  position: 0,
  lengthBytes: 0,
};

test.each([
  [2, known],
  [3, changed],
])(
  'a snapshot sent at catalogue level %i says who votes, or leaves it at who did',
  (catalogueLevel, expected) => {
    const sender = { clusterId: 'c', self: VOTER, catalogueVersion: 3, catalogueLevel };
    const { body } = toWire(request, { ...VOTER, id: 3 }, sender);
    const received = requestFromWire(InstallSnapshot, body, known).request as SnapshotRequest;
    expect(received.snapshot.voterSet).toEqual(expected);
  },
);
