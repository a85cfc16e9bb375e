import type { Admin } from '../client/node.ts';
import { table } from './output.ts';
import { bold, red } from './style.ts';

type Quorum = Awaited<ReturnType<Admin['describeQuorum']>>;

/** Entries of the metadata log that each node lacks, by its leader's account. */
export function quorumText(quorum: Quorum, { directories = false } = {}): string {
  const { leaderId, leaderEpoch, highWatermark, currentVoters, observers } = quorum;
  const nodes = [
    ...currentVoters.map((node) => ({ ...node, role: node.replicaId === leaderId ? 'leader' : 'voter' })),
    ...observers.map((node) => ({ ...node, role: 'observer' })),
  ];
  const end = Math.max(0, ...nodes.map(({ logEndOffset }) => logEndOffset));
  const rows = nodes.map(({ replicaId, directoryId, role, logEndOffset, lastResponseMsAgo }) => [
    replicaId,
    ...(directories ? [directoryId] : []),
    role,
    logEndOffset < 0 ? null : logEndOffset,
    logEndOffset < 0 ? null : end - logEndOffset,
    role === 'leader' || lastResponseMsAgo < 0 ? null : `${(lastResponseMsAgo / 1000).toFixed(1)} s ago`,
  ]);
  const titles = ['node', ...(directories ? ['directory'] : []), 'role', 'log end', 'lag', 'last answer'];
  const [head = '', ...lines] = table(titles, rows).split('\n');
  return [
    `metadata quorum: leader ${leaderId}, epoch ${leaderEpoch}, committed ${highWatermark}`,
    bold(head),
    ...lines,
    ...votersLost(quorum).map((id) =>
      red(`node ${id} came back with another disk and does not vote (yet): the quorum lacks a voter`),
    ),
  ].join('\n');
}

/** Voters whose disk is gone: their id observes from another directory now. A lost vote is otherwise silent. */
export function votersLost({
  currentVoters,
  observers,
}: Pick<Quorum, 'currentVoters' | 'observers'>): number[] {
  const ids = new Set(observers.map(({ replicaId }) => replicaId));
  return currentVoters.map(({ replicaId }) => replicaId).filter((id) => ids.has(id));
}
