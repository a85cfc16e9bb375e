import type { Argv } from 'yargs';
import type { Admin, ConfigDescription, NewTopic, TopicDescription } from '../../client/node.ts';
import { explainingTopic, withConnection } from '../connection.ts';
import { integer, keyValues } from '../options.ts';
import { say, sayJson, table } from '../output.ts';
import { UsageError } from '../run.ts';

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
          withConfig(withPartitions(named(command))).option('replication-factor', {
            type: 'string',
            coerce: integer('--replication-factor', 1, REPLICAS_MAX),
            describe: "Replicas of each partition; the cluster's default if left out",
          }),
        create,
      )
      .command('list', 'List the topics', (command) => command, list)
      .command(
        'describe <name>',
        "A topic's partitions, leaders, replicas, offsets and configs",
        named,
        describe,
      )
      .command(
        'alter <name>',
        'Add partitions, set configs (an empty value goes back to the default)',
        (command: Argv<Common>) => withConfig(withPartitions(named(command))),
        alter,
      )
      .command('delete <name>', 'Delete a topic and all of its records', named, remove)
      .demandCommand(1, 'Name what to do: create, list, describe, alter or delete'),
  );
}

const named = (command: Argv<Common>) =>
  command.positional('name', { type: 'string', demandOption: true, describe: 'The topic' });

const withPartitions = <T>(command: Argv<T>) =>
  command.option('partitions', {
    type: 'string',
    coerce: integer('--partitions', 1, PARTITIONS_MAX),
    describe: 'How many partitions (alter: how many in all)',
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
  return withConnection(bootstrap, async ({ admin }) => {
    const topics = await admin.listTopics();
    if (json) {
      sayJson(topics.map(({ partitionCount, ...topic }) => ({ ...topic, partitions: partitionCount })));
    } else {
      const rows = topics.map((topic) => [topic.name, topic.partitionCount, topic.replicationFactor]);
      say(table(['topic', 'partitions', 'replication factor'], rows));
    }
  });
}

function describe({ bootstrap, json, name }: Common & { readonly name: string }): Promise<void> {
  return withConnection(bootstrap, ({ client, admin }) =>
    explainingTopic(name, async () => {
      const [topic] = await admin.describeTopics([name]);
      if (!topic) return;
      const configs = await admin.describeConfigs({ topic: name });
      const offsets = await offsetsOf(client.admin({ timeoutMs: OFFSETS_TIMEOUT_MS }), topic);
      if (json) sayJson(asJson(topic, configs, offsets));
      else say(asText(topic, configs, offsets));
    }),
  );
}

interface Offsets {
  readonly start: number | null;
  readonly end: number | null;
}

/** The ends of each partition's log; unknown where no leader answers. */
function offsetsOf(admin: Admin, topic: TopicDescription): Promise<Offsets[]> {
  return Promise.all(
    topic.partitions.map(async ({ partition, leader }): Promise<Offsets> => {
      if (leader === undefined) return { start: null, end: null };
      const which = [{ topic: topic.name, partition }];
      try {
        const [[start], [end]] = await Promise.all([
          admin.listOffsets(which, 'earliest'),
          admin.listOffsets(which, 'latest'),
        ]);
        return { start: start?.offset ?? null, end: end?.offset ?? null };
      } catch {
        return { start: null, end: null };
      }
    }),
  );
}

function asJson(
  topic: TopicDescription,
  configs: readonly ConfigDescription[],
  offsets: readonly Offsets[],
): object {
  return {
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ leader, ...partition }, index) => ({
      ...partition,
      leader: leader ?? null,
      startOffset: offsets[index]?.start ?? null,
      endOffset: offsets[index]?.end ?? null,
    })),
    configs: configs.map(({ name, value, source }) => ({ name, value, source })),
  };
}

function asText(
  topic: TopicDescription,
  configs: readonly ConfigDescription[],
  offsets: readonly Offsets[],
): string {
  const rows = topic.partitions.map((partition, index) => [
    partition.partition,
    partition.leader ?? 'none',
    partition.leaderEpoch,
    partition.replicas.join(','),
    partition.isr.join(','),
    offsets[index]?.start ?? null,
    offsets[index]?.end ?? null,
  ]);
  const own = configs.filter(({ source }) => source === 'topic');
  return [
    `topic ${topic.name}  id ${topic.topicId}`,
    ...own.map(({ name, value }) => `config ${name}=${value}`),
    table(['partition', 'leader', 'epoch', 'replicas', 'in sync', 'start offset', 'end offset'], rows),
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
