import type { Argv } from 'yargs';
import type { Admin, ClusterDescription } from '../../client/node.ts';
import { withConnection } from '../connection.ts';
import { say, sayJson, table } from '../output.ts';

interface Common {
  readonly bootstrap: string;
  readonly json: boolean;
}

type Quorum = Awaited<ReturnType<Admin['describeQuorum']>>;

/** `odradek cluster describe`. */
export function clusterCommand(cli: Argv<Common>): Argv<Common> {
  return cli.command('cluster', 'Describe the cluster', (cluster) =>
    cluster
      .command(
        'describe',
        'The brokers, the controller and the metadata quorum',
        (command) => command,
        describe,
      )
      .demandCommand(1, 'Name what to do: describe'),
  );
}

function describe({ bootstrap, json }: Common): Promise<void> {
  return withConnection(bootstrap, async ({ client, cluster }) => {
    // Without a leader the quorum has nothing to tell; the brokers are worth showing all the same.
    const quorum = await client
      .admin({ timeoutMs: 2000 })
      .describeQuorum()
      .catch(() => undefined);
    if (json) sayJson({ ...cluster, controllerId: cluster.controllerId ?? null, quorum: quorum ?? null });
    else say(asText(cluster, quorum));
  });
}

function asText(cluster: ClusterDescription, quorum: Quorum | undefined): string {
  const brokers = cluster.brokers.map(({ id, host, port, rack, isFenced }) => [
    id,
    `ws://${host}:${port}`,
    rack,
    isFenced ? 'fenced' : 'active',
    id === cluster.controllerId ? 'controller' : '',
  ]);
  const text = [
    `cluster ${cluster.clusterId}  controller ${cluster.controllerId ?? 'none (no quorum, or an election is under way)'}`,
    table(['broker', 'listener', 'rack', 'state', 'role'], brokers),
  ];
  if (quorum) {
    const voters = quorum.currentVoters.map(({ replicaId }) => replicaId).join(', ');
    text.push(`metadata quorum: leader ${quorum.leaderId}, epoch ${quorum.leaderEpoch}, voters ${voters}`);
    for (const id of votersLost(quorum)) {
      text.push(`node ${id} came back with another disk and no longer votes: the quorum lacks a voter`);
    }
  }
  return text.join('\n');
}

/** Voters whose disk is gone: their id observes from another directory now. A lost vote is otherwise silent. */
export function votersLost({
  currentVoters,
  observers,
}: Pick<Quorum, 'currentVoters' | 'observers'>): number[] {
  const ids = new Set(observers.map(({ replicaId }) => replicaId));
  return currentVoters.map(({ replicaId }) => replicaId).filter((id) => ids.has(id));
}
