import type { Argv } from 'yargs';
import type { Admin, GroupDescription, TopicPartition } from '../../client/node.ts';
import { explainingTopic, withConnection } from '../connection.ts';
import { type PartitionProgress, progressOf, totalLag } from '../groups/progress.ts';
import { type OffsetMove, planMoves, type ResetOptions, resetTarget } from '../groups/reset-target.ts';
import { integer, oneText } from '../options.ts';
import { say, sayJson, table } from '../output.ts';
import { bold } from '../style.ts';
import { show, type View, type WatchOptions, withWatch } from '../watch.ts';

interface Common {
  readonly bootstrap: string;
  readonly json: boolean;
}

interface GroupOptions extends Common {
  readonly group: string;
}

const END_TIMEOUT_MS = 2000;

/** `odradek groups list|describe|delete|reset-offsets`. */
export function groupsCommand(cli: Argv<Common>): Argv<Common> {
  return cli.command('groups', 'Consumer groups: members, lag, offsets', (groups) =>
    groups
      .command(
        'list',
        'List the groups',
        (command) => command.example('$0 groups list --json', 'For a program'),
        list,
      )
      .command(
        'describe <group>',
        "A group's members, committed offsets and lag",
        (command: Argv<Common>) =>
          withWatch(named(command)).example(
            '$0 groups describe airports --watch',
            'Look on while it catches up',
          ),
        describe,
      )
      .command(
        'delete <group>',
        'Delete a group without members, and its offsets',
        (command: Argv<Common>) => named(command).example('$0 groups delete airports', 'Without asking back'),
        remove,
      )
      .command(
        'reset-offsets <group>',
        'Move the committed offsets of a group without members',
        withReset,
        reset,
      )
      .demandCommand(1, 'Name what to do: list, describe, delete or reset-offsets'),
  );
}

const named = (command: Argv<Common>) =>
  command.positional('group', { type: 'string', demandOption: true, describe: 'The group' });

const withReset = (command: Argv<Common>) =>
  named(command)
    .option('topic', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Of this topic; may be repeated; by default of all that the group has committed',
    })
    .option('partition', {
      type: 'string',
      coerce: integer('--partition', 0),
      describe: 'Of this partition of the topic alone',
    })
    .option('to-earliest', { type: 'boolean', default: false, describe: 'To the first record there is' })
    .option('to-latest', { type: 'boolean', default: false, describe: 'To the end: skip what is there' })
    .option('to-offset', {
      type: 'string',
      coerce: integer('--to-offset', 0),
      describe: 'To this offset, or the nearest there is',
    })
    .option('to-timestamp', {
      type: 'string',
      coerce: oneText('--to-timestamp'),
      describe: 'To the first record at or after this time (ms or ISO 8601)',
    })
    .option('shift-by', {
      type: 'string',
      coerce: oneText('--shift-by'),
      describe: 'So many records on, or back with a minus',
    })
    .option('dry-run', {
      type: 'boolean',
      default: false,
      describe: 'Show what would change, and change nothing',
    })
    .example('$0 groups reset-offsets airports --to-earliest --dry-run', 'What reading all again would mean')
    .example('$0 groups reset-offsets airports --topic flights --to-timestamp 2026-01-01', 'Go back in time');

function list({ bootstrap, json }: Common): Promise<void> {
  return withConnection(bootstrap, async ({ admin }) => {
    const groups = await admin.listGroups();
    if (json) sayJson(groups);
    else
      say(
        table(
          ['group', 'state', 'type'],
          groups.map(({ groupId, state, type }) => [groupId, state, type]),
        ),
      );
  });
}

function describe(options: GroupOptions & WatchOptions): Promise<void> {
  return withConnection(options.bootstrap, async ({ client, admin }) => {
    await find(admin, options.group);
    // A partition without a leader must not hold up the others.
    const quick = client.admin({ timeoutMs: END_TIMEOUT_MS });
    await show(options, async (): Promise<View> => {
      const group = await find(admin, options.group);
      const partitions = await progressOf(quick, group);
      return {
        json: { ...group, partitions, totalLag: totalLag(partitions) },
        text: asText(group, partitions),
      };
    });
  });
}

async function find(admin: Admin, id: string): Promise<GroupDescription> {
  const [group] = await explainingGroup(id, () => admin.describeGroups([id]));
  if (group) return group;
  throw unknownGroup(id);
}

async function explainingGroup<T>(id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'GROUP_ID_NOT_FOUND') throw unknownGroup(id);
    if (code === 'NON_EMPTY_GROUP')
      throw new Error(
        `group "${id}" has members; stop them first ("odradek groups describe ${id}" names them)`,
      );
    throw error;
  }
}

function unknownGroup(id: string): Error {
  return new Error(`there is no group "${id}"; "odradek groups list" shows those there are`);
}

function asText(group: GroupDescription, partitions: readonly PartitionProgress[]): string {
  const count = group.members.length;
  const lag = totalLag(partitions);
  const text = [
    `group ${group.groupId}  ${group.state}  ${count} member${count === 1 ? '' : 's'}  lag ${lag}`,
  ];
  if (count > 0) {
    const rows = group.members.map(({ memberId, clientId, clientHost, memberEpoch, assignment }) => [
      memberId,
      clientId,
      clientHost,
      memberEpoch,
      assignment.length,
      totalLag(partitions.filter((each) => each.memberId === memberId)),
    ]);
    text.push(titled(['member', 'client', 'host', 'epoch', 'partitions', 'lag'], rows), '');
  }
  if (partitions.length > 0) {
    const rows = partitions.map((row) => [
      row.topic,
      row.partition,
      row.committedOffset,
      row.endOffset,
      row.lag,
      row.memberId,
    ]);
    text.push(titled(['topic', 'partition', 'committed', 'end offset', 'lag', 'member'], rows));
  }
  return text.join('\n');
}

function titled(...args: Parameters<typeof table>): string {
  const [head = '', ...lines] = table(...args).split('\n');
  return [bold(head), ...lines].join('\n');
}

function remove({ bootstrap, json, group }: GroupOptions): Promise<void> {
  return withConnection(bootstrap, async ({ admin }) => {
    await explainingGroup(group, () => admin.deleteGroups([group]));
    if (json) sayJson({ groupId: group, deleted: true });
    else say(`Deleted group ${group}.`);
  });
}

interface ResetArguments extends GroupOptions, ResetOptions {
  readonly topic: string[] | undefined;
  readonly partition: number | undefined;
  readonly dryRun: boolean;
}

/** Rejects instead of throwing: what is wrong is complained about as with any other option. */
async function reset(options: ResetArguments): Promise<void> {
  const { group, dryRun } = options;
  const target = resetTarget(options);
  await withConnection(options.bootstrap, async ({ admin }) => {
    const committed = await admin.fetchOffsets(group);
    const partitions = await partitionsToReset(admin, options, committed);
    const moves = await planMoves(admin, partitions, committed, target);
    if (moves.length === 0)
      throw new Error(`group "${group}" has committed nothing there that could be moved`);
    if (!dryRun) {
      const offsets = moves.map(({ topic, partition, newOffset }) => ({
        topic,
        partition,
        offset: newOffset,
      }));
      await explainingGroup(group, () => admin.alterOffsets(group, offsets));
    }
    if (options.json) sayJson({ groupId: group, dryRun, partitions: moves });
    else say(movesText(moves, dryRun));
  });
}

/** Those that the group has committed, or all of the topics that were named. */
async function partitionsToReset(
  admin: Admin,
  { group, topic: topics, partition: only }: ResetArguments,
  committed: readonly TopicPartition[],
): Promise<TopicPartition[]> {
  const wanted = (each: TopicPartition) => only === undefined || each.partition === only;
  if (topics === undefined) {
    if (committed.length > 0) return committed.filter(wanted);
    throw new Error(`group "${group}" has committed nothing; name a --topic to begin with`);
  }
  const described = await Promise.all(
    topics.map((topic) => explainingTopic(topic, () => admin.describeTopics([topic]))),
  );
  return described
    .flat()
    .flatMap(({ name, partitions }) => partitions.map(({ partition }) => ({ topic: name, partition })))
    .filter(wanted);
}

function movesText(moves: readonly OffsetMove[], dryRun: boolean): string {
  const rows = moves.map(({ topic, partition, oldOffset, newOffset }) => [
    topic,
    partition,
    oldOffset,
    newOffset,
  ]);
  return [
    table(['topic', 'partition', 'old offset', 'new offset'], rows),
    dryRun ? 'Nothing was changed: --dry-run.' : 'The offsets are changed.',
  ].join('\n');
}
