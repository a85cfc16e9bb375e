import type { Argv } from 'yargs';
import type { Admin, ConfigDescription, NewTopic, TopicDescription } from '../../client/node.ts';
import { type Connection, explainingTopic, withConnection } from '../connection.ts';
import { gatherLogs, within } from '../health/gather.ts';
import {
  countStates,
  PARTITION_STATES,
  type PartitionHealth,
  ReplicaLogs,
  topicHealth,
} from '../health/partition-health.ts';
import { healthLine, partitionTable, sizeText } from '../health/show-partitions.ts';
import { integer, keyValues } from '../options.ts';
import { say, sayJson, table } from '../output.ts';
import { UsageError } from '../run.ts';
import { show, type View, type WatchOptions, withWatch } from '../watch.ts';

interface Common {
  readonly bootstrap: string;
  readonly json: boolean;
}

interface TopicOptions extends Common {
  readonly name: string;
  readonly partitions: number | undefined;
  readonly replicationFactor?: number | undefined;
  readonly config: string[];
}

const PARTITIONS_MAX = 10_000;
const REPLICAS_MAX = 100;
const OFFSETS_TIMEOUT_MS = 2000;

/** `odradek topics create|list|describe|alter|delete`. */
export function topicsCommand(cli: Argv<Common>): Argv<Common> {
  return cli.command('topics', 'Create, list, describe, alter and delete topics', (topics) =>
    topics
      .command(
        'create <name>',
        'Create a topic',
        (command: Argv<Common>) =>
          withConfig(withPartitions(named(command), 'How many partitions'))
            .option('replication-factor', {
              type: 'string',
              coerce: integer('--replication-factor', 1, REPLICAS_MAX),
              describe: "Replicas of each partition; the cluster's default if left out",
            })
            .example(
              '$0 topics create flights --partitions 6 --replication-factor 3',
              'Six partitions, three copies',
            )
            .example(
              '$0 topics create audit --config retention.ms=-1 --config min.insync.replicas=2',
              'With configs',
            ),
        create,
      )
      .command(
        'list',
        'List the topics with their size and health',
        (command) =>
          command.example('$0 topics list --json | jq \'.[] | select(.health != "ok")\'', 'What is not well'),
        list,
      )
      .command(
        'describe <name>',
        "A topic's partitions, the worst first: leaders, replicas and their lag, offsets; and its configs",
        (command: Argv<Common>) =>
          withWatch(named(command))
            .option('configs', {
              type: 'boolean',
              default: false,
              describe: 'Show the configs that are at their defaults too',
            })
            .example('$0 topics describe flights --watch', 'Look on while a replica catches up'),
        describe,
      )
      .command(
        'alter <name>',
        'Add partitions, set configs (an empty value goes back to the default)',
        (command: Argv<Common>) =>
          withConfig(withPartitions(named(command), 'How many partitions in all'))
            .example('$0 topics alter flights --partitions 12', 'More partitions')
            .example('$0 topics alter flights --config retention.ms=', 'Back to the default'),
        alter,
      )
      .command(
        'delete <name>',
        'Delete a topic and all of its records',
        (command: Argv<Common>) => named(command).example('$0 topics delete flights', 'Without asking back'),
        remove,
      )
      .demandCommand(1, 'Name what to do: create, list, describe, alter or delete'),
  );
}

const named = (command: Argv<Common>) =>
  command.positional('name', { type: 'string', demandOption: true, describe: 'The topic' });

const withPartitions = <T>(command: Argv<T>, describe: string) =>
  command.option('partitions', {
    type: 'string',
    coerce: integer('--partitions', 1, PARTITIONS_MAX),
    describe,
  });

const withConfig = <T>(command: Argv<T>) =>
  command.option('config', {
    type: 'string',
    array: true,
    nargs: 1,
    default: [] as string[],
    describe: 'A config of the topic, such as retention.ms=3600000; may be repeated',
  });

function create({ name, partitions, replicationFactor, config, ...common }: TopicOptions): Promise<void> {
  const topic: NewTopic = {
    name,
    ...(partitions !== undefined && { partitions }),
    ...(replicationFactor !== undefined && { replicationFactor }),
    configs: keyValues(config, '--config'),
  };
  return withConnection(common.bootstrap, async ({ admin }) => {
    await admin.createTopic(topic);
    const [created] = await admin.describeTopics([name]);
    if (!created) return;
    const [count, replicas] = [created.partitions.length, created.partitions[0]?.replicas.length ?? 0];
    if (common.json)
      sayJson({ name, topicId: created.topicId, partitions: count, replicationFactor: replicas });
    else
      say(
        `Created topic ${name}: ${count} partition${count === 1 ? '' : 's'}, replication factor ${replicas}.`,
      );
  });
}

function list({ bootstrap, json }: Common): Promise<void> {
  return withConnection(bootstrap, async ({ client, admin, cluster }) => {
    const listed = await admin.listTopics();
    const [described, logs] = await Promise.all([
      admin.describeTopics(listed.map(({ name }) => name)),
      gatherLogs(client, cluster),
    ]);
    const found = new ReplicaLogs(logs);
    const topics = listed.map((topic, i) => ({ ...topic, ...summary(described[i], found) }));
    if (json) {
      sayJson(topics.map(({ partitionCount, ...topic }) => ({ ...topic, partitions: partitionCount })));
    } else {
      const rows = topics.map((topic) => [
        topic.name,
        topic.partitionCount,
        topic.replicationFactor,
        topic.sizeBytes === null ? null : sizeText(topic.sizeBytes),
        topic.health,
      ]);
      say(table(['topic', 'partitions', 'replication factor', 'size', 'health'], rows));
    }
  });
}

/** The size is that of the leaders' logs, of one copy; null when one of them does not answer. */
function summary(topic: TopicDescription | undefined, logs: ReplicaLogs) {
  const partitions = topic ? topicHealth(topic, logs) : [];
  const sizes = partitions.map(({ sizeBytes }) => sizeBytes);
  const counts = countStates(partitions);
  return {
    sizeBytes: sizes.reduce(
      (sum, size) => (sum === null || size === null ? null : sum + size),
      0 as number | null,
    ),
    health:
      PARTITION_STATES.filter((state) => state !== 'ok' && counts[state] > 0)
        .map((state) => `${counts[state]} ${state}`)
        .join(', ') || 'ok',
  };
}

interface DescribeOptions extends Common, WatchOptions {
  readonly name: string;
  readonly configs: boolean;
}

function describe(options: DescribeOptions): Promise<void> {
  const { name } = options;
  return withConnection(options.bootstrap, (connection) =>
    explainingTopic(name, async () => {
      // A topic that is not there is an error also with --watch, one that goes away meanwhile is news.
      await connection.admin.describeTopics([name]);
      await show(options, () => look(connection, options));
    }),
  );
}

async function look(
  { client, admin }: Connection,
  { name, configs: withConfigs }: DescribeOptions,
): Promise<View> {
  const [topic] = await admin.describeTopics([name]);
  if (!topic) throw new Error(`there is no topic "${name}"`);
  const which = topic.partitions.map(({ partition }) => ({ topic: name, partition }));
  const [configs, offsets, logs] = await Promise.all([
    admin.describeConfigs({ topic: name }),
    offsetsOf(client.admin({ timeoutMs: OFFSETS_TIMEOUT_MS }), topic),
    admin.describeCluster().then((cluster) => gatherLogs(client, cluster, which)),
  ]);
  const minIsr = Number(configs.find((each) => each.name === 'min.insync.replicas')?.value ?? 1);
  const health = topicHealth(topic, new ReplicaLogs(logs), minIsr);
  return {
    json: asJson(topic, configs, offsets, health),
    text: asText(
      topic,
      withConfigs ? configs : configs.filter(({ source }) => source !== 'default'),
      offsets,
      health,
    ),
  };
}

interface Offsets {
  readonly start: number | null;
  readonly end: number | null;
}

/** What consumers see of each partition's log, by number; unknown where no leader answers. */
async function offsetsOf(admin: Admin, topic: TopicDescription): Promise<ReadonlyMap<number, Offsets>> {
  const found = await Promise.all(
    topic.partitions.map(async ({ partition, leader }): Promise<[number, Offsets]> => {
      const unknown = { start: null, end: null };
      if (leader === undefined) return [partition, unknown];
      const which = [{ topic: topic.name, partition }];
      const [starts, ends] = await Promise.all([
        within(admin.listOffsets(which, 'earliest')),
        within(admin.listOffsets(which, 'latest')),
      ]);
      return [partition, { start: starts?.[0]?.offset ?? null, end: ends?.[0]?.offset ?? null }];
    }),
  );
  return new Map(found);
}

function asJson(
  topic: TopicDescription,
  configs: readonly ConfigDescription[],
  offsets: ReadonlyMap<number, Offsets>,
  health: readonly PartitionHealth[],
): object {
  return {
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ leader, ...described }) => {
      const { state, sizeBytes, replicas } =
        health.find((each) => each.partition === described.partition) ?? {};
      return {
        ...described,
        leader: leader ?? null,
        startOffset: offsets.get(described.partition)?.start ?? null,
        endOffset: offsets.get(described.partition)?.end ?? null,
        state,
        sizeBytes,
        replicaLogs: replicas,
      };
    }),
    configs: configs.map(({ name, value, source }) => ({ name, value, source })),
  };
}

function asText(
  topic: TopicDescription,
  configs: readonly ConfigDescription[],
  offsets: ReadonlyMap<number, Offsets>,
  health: readonly PartitionHealth[],
): string {
  const ofPartition = ({ partition }: PartitionHealth) => {
    const found = offsets.get(partition);
    return [found?.start, found?.end] as const;
  };
  return [
    `topic ${topic.name}  id ${topic.topicId}  ${healthLine(health)}`,
    ...configs.map(({ name, value, source }) => `config ${name}=${value} (${source})`),
    partitionTable(health, false, ofPartition),
  ].join('\n');
}

function alter({ bootstrap, json, name, partitions, config }: TopicOptions): Promise<void> {
  const pairs = Object.entries(keyValues(config, '--config'));
  if (partitions === undefined && pairs.length === 0) {
    throw new UsageError('say what to alter: --partitions N, --config key=value');
  }
  const configs = Object.fromEntries(pairs.map(([key, value]) => [key, value === '' ? null : value]));
  return withConnection(bootstrap, ({ admin }) =>
    explainingTopic(name, async () => {
      // A change of an unknown topic is tried for long: it could have been created a moment ago.
      await admin.describeTopics([name]);
      if (pairs.length > 0) await admin.alterConfigs(name, configs);
      if (partitions !== undefined) await admin.createPartitions(name, partitions);
      if (json) sayJson({ name, ...(partitions !== undefined && { partitions }), configs });
      else say(`Altered topic ${name}.`);
    }),
  );
}

function remove({ bootstrap, json, name }: Common & { readonly name: string }): Promise<void> {
  return withConnection(bootstrap, ({ admin }) =>
    explainingTopic(name, async () => {
      await admin.deleteTopics([name]);
      if (json) sayJson({ name, deleted: true });
      else say(`Deleted topic ${name}.`);
    }),
  );
}
