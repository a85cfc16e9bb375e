import type { Metric, Sample } from '../platform/ports.ts';
import type { RaftNode } from './node.ts';

export const RAFT_METRICS = {
  epoch: {
    name: 'odradek_raft_epoch',
    type: 'gauge',
    help: 'Epoch of the metadata quorum',
    worry: 'it grows again and again: the quorum cannot keep a leader',
  },
  leader: {
    name: 'odradek_raft_is_leader',
    type: 'gauge',
    help: '1 on the node that leads the metadata quorum',
  },
  voter: {
    name: 'odradek_raft_is_voter',
    type: 'gauge',
    help: '1 where the node votes; 0 where it observes',
  },
  lastIndex: { name: 'odradek_raft_last_index', type: 'gauge', help: 'Last entry of the metadata log here' },
  commitIndex: {
    name: 'odradek_raft_commit_index',
    type: 'gauge',
    help: 'Last entry that this node knows to be committed',
    worry: 'it lags behind that of the other nodes',
  },
  commitLag: {
    name: 'odradek_raft_commit_lag_entries',
    type: 'gauge',
    help: 'Entries in the log here that are not known to be committed',
    worry: 'it keeps growing on the leader: no majority acknowledges',
  },
  applyLag: {
    name: 'odradek_raft_apply_lag_entries',
    type: 'gauge',
    help: 'Committed entries that are not applied to the image yet',
    worry: 'it is not near 0',
  },
  followerLag: {
    name: 'odradek_raft_follower_lag_entries',
    type: 'gauge',
    labels: ['node'],
    help: 'On the leader: how far the disk of each voter and observer is behind',
    worry: 'it keeps growing for a voter: one more failure may stop the quorum',
  },
  elections: {
    name: 'odradek_raft_elections_total',
    type: 'counter',
    help: 'Elections in which this node stood',
    worry: 'it grows while nodes neither stop nor start',
  },
  electionsWon: {
    name: 'odradek_raft_elections_won_total',
    type: 'counter',
    help: 'Elections that this node won',
  },
  snapshots: { name: 'odradek_raft_snapshots_total', type: 'counter', help: 'Snapshots that this node took' },
} satisfies Record<string, Metric>;

/** What the metrics need to know of a node. */
type Sampled = Pick<RaftNode, 'describe' | 'epoch' | 'role' | 'isVoter' | 'appliedIndex'>;

export function sampleQuorum(node: Sampled, selfId: number, sample: Sample): void {
  const quorum = node.describe();
  const m = RAFT_METRICS;
  sample(m.epoch, node.epoch);
  sample(m.leader, node.role === 'leader' ? 1 : 0);
  sample(m.voter, node.isVoter ? 1 : 0);
  if (!quorum) return;
  const { lastIndex, commitIndex, voters, observers } = quorum;
  sample(m.lastIndex, lastIndex);
  sample(m.commitIndex, commitIndex);
  sample(m.commitLag, lastIndex - commitIndex);
  sample(m.applyLag, commitIndex - node.appliedIndex);
  if (node.role !== 'leader') return;
  for (const { id, matchIndex } of [...voters, ...observers]) {
    if (id !== selfId) sample(m.followerLag, lastIndex - Math.max(0, matchIndex), String(id));
  }
}
