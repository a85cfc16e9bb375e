import type { Argv } from 'yargs';
import type { Admin, ClusterDescription } from '../../client/node.ts';
import { type Connection, withConnection } from '../connection.ts';
import { gatherLogs, minInSyncReplicas, within } from '../health/gather.ts';
import {
  type BrokerLogs,
  countStates,
  type PartitionHealth,
  ReplicaLogs,
  topicHealth,
  worstFirst,
} from '../health/partition-health.ts';
import { healthLine, partitionTable, sizeText } from '../health/show-partitions.ts';
import { table } from '../output.ts';
import { quorumText } from '../quorum-text.ts';
import { bold, red } from '../style.ts';
import { show, type View, type WatchOptions, withWatch } from '../watch.ts';

interface Common {
  readonly bootstrap: string;
  readonly json: boolean;
}

type Quorum = Awaited<ReturnType<Admin['describeQuorum']>>;

/** More are told by `topics describe`. */
const UNHEALTHY_SHOWN_MAX = 20;

/** `odradek cluster describe`. */
export function clusterCommand(cli: Argv<Common>): Argv<Common> {
  return cli.command('cluster', 'The health of the cluster', (cluster) =>
    cluster
      .command(
        'describe',
        'Brokers, the metadata quorum with its lag, and what is not in sync',
        (command: Argv<Common>) =>
          withWatch(command)
            .example('$0 cluster describe --watch', 'Look on while nodes are restarted')
            .example('$0 cluster describe --json', 'All there is, for a program'),
        describe,
      )
      .demandCommand(1, 'Name what to do: describe'),
  );
}

function describe(options: Common & WatchOptions): Promise<void> {
  return withConnection(options.bootstrap, (connection) => show(options, () => look(connection)));
}

/** All that is known at one moment. */
interface Picture {
  readonly cluster: ClusterDescription;
  /** Without a leader the quorum has nothing to tell; the brokers are worth showing all the same. */
  readonly quorum: Quorum | undefined;
  readonly logs: BrokerLogs;
  readonly partitions: readonly PartitionHealth[];
}

async function look({ client, admin }: Connection): Promise<View> {
  const cluster = await admin.describeCluster();
  const [quorum, topics, logs] = await Promise.all([
    within(client.admin({ timeoutMs: 2000 }).describeQuorum()),
    admin.listTopics().then((listed) => admin.describeTopics(listed.map(({ name }) => name))),
    gatherLogs(client, cluster),
  ]);
  const found = new ReplicaLogs(logs);
  const partitions = await Promise.all(
    topics.map(async (topic) => {
      const health = topicHealth(topic, found);
      const isWhole = health.every(({ state }) => state === 'ok');
      return isWhole ? health : topicHealth(topic, found, await minInSyncReplicas(admin, topic.name));
    }),
  );
  const picture = { cluster, quorum, logs, partitions: partitions.flat().sort(worstFirst) };
  return { json: asJson(picture), text: asText(picture) };
}

function asJson({ cluster, quorum, logs, partitions }: Picture): object {
  return {
    ...cluster,
    controllerId: cluster.controllerId ?? null,
    brokers: cluster.brokers.map((broker) => ({
      ...broker,
      leads: partitions.filter(({ leader }) => leader === broker.id).length,
      replicas: partitions.filter(({ replicas }) => replicas.some((each) => each.broker === broker.id))
        .length,
      logBytes: logBytes(logs, broker.id) ?? null,
    })),
    quorum: quorum ?? null,
    partitions: countStates(partitions),
    unhealthy: partitions.filter(({ state }) => state !== 'ok'),
  };
}

function asText({ cluster, quorum, logs, partitions }: Picture): string {
  const unhealthy = partitions.filter(({ state }) => state !== 'ok');
  const shown = unhealthy.slice(0, UNHEALTHY_SHOWN_MAX);
  const text = [
    `cluster ${cluster.clusterId}  controller ${cluster.controllerId ?? red('none (no quorum, or an election is under way)')}`,
    ...(quorum ? [levelText(quorum)] : []),
    healthLine(partitions),
  ];
  if (shown.length > 0)
    text.push(partitionTable(shown, true, ({ startOffset, endOffset }) => [startOffset, endOffset]));
  if (unhealthy.length > shown.length)
    text.push(
      `... ${unhealthy.length - shown.length} more; "odradek topics describe NAME" shows those of a topic`,
    );
  text.push('', brokerTable(cluster, logs, partitions));
  if (quorum) text.push('', quorumText(quorum));
  return text.join('\n');
}

/** What all nodes can read, and who keeps the cluster from more. */
function levelText({ catalogueLevel: level, catalogueHeldBackBy: nodes }: Quorum): string {
  if (nodes.length === 0) return `catalogue level ${level}`;
  const who = nodes.length === 1 ? `node ${nodes[0]}` : `nodes ${nodes.join(', ')}`;
  return red(`catalogue level ${level}, held back by ${who}: upgrade, or raise catalogueVersion there`);
}

function brokerTable(
  { brokers, controllerId }: ClusterDescription,
  logs: BrokerLogs,
  partitions: readonly PartitionHealth[],
): string {
  const sorted = [...brokers].sort((a, b) => Number(b.isFenced) - Number(a.isFenced) || a.id - b.id);
  const rows = sorted.map(({ id, host, port, rack, isFenced }) => {
    const bytes = logBytes(logs, id);
    const replicas = partitions.flatMap((health) => health.replicas.filter(({ broker }) => broker === id));
    return [
      id,
      `ws://${host}:${port}`,
      rack,
      isFenced ? 'fenced' : bytes === undefined ? 'silent' : 'active',
      id === controllerId ? 'controller' : null,
      partitions.filter(({ leader }) => leader === id).length,
      replicas.length,
      replicas.filter(({ inSync }) => !inSync).length,
      bytes === undefined ? null : sizeText(bytes),
    ];
  });
  const titles = [
    'broker',
    'listener',
    'rack',
    'state',
    'role',
    'leads',
    'replicas',
    'out of sync',
    'log size',
  ];
  const [head = '', ...lines] = table(titles, rows).split('\n');
  const isBad = (i: number) => rows[i]?.[3] !== 'active';
  return [bold(head), ...lines.map((line, i) => (isBad(i) ? red(line) : line))].join('\n');
}

function logBytes(logs: BrokerLogs, broker: number): number | undefined {
  return logs
    .get(broker)
    ?.flatMap(({ replicas }) => replicas)
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
