import type { ClusterNode } from '../cluster/sim-cluster.ts';
import type { FaultContext, TakeBack } from './fault.ts';

/** So long a start may take, and with it to meet the damage. */
export const MEET_MS = 1000;

export type Restart = 'none' | 'process' | 'power';

function filesOf({ machine }: ClusterNode, within: string): string[] {
  return [...machine.disk.files()].flatMap(([path, size]) =>
    size > 0 && path.includes(within) ? [path] : [],
  );
}

/** Files of a node that are read again: of the log of the quorum when it starts, of a partition log whenever it is read. */
export function readableFiles(
  member: ClusterNode,
  log: string,
  { image, workloads }: FaultContext,
): string[] {
  if (log === 'raft') return filesOf(member, '/raft/').filter((path) => !path.endsWith('.tmp'));
  // Of the main topic alone: its records are on two disks at least.
  const topic = image().topicByName(workloads.topic.name);
  return topic ? filesOf(member, `/log/${topic.id}-`) : [];
}

/** Has the node come across the damage, which is taken back once it has had the time to. */
export function meet(
  member: ClusterNode,
  { log, restart }: { readonly log: string; readonly restart: Restart },
  on: FaultContext,
  takeBack: TakeBack,
): TakeBack {
  const start =
    log === 'raft' || restart !== 'none'
      ? on.kill(member, restart === 'power' ? 'power' : 'process')
      : () => {};
  return () => {
    start();
    on.world.schedule(MEET_MS, 'end of the damage', takeBack);
  };
}
