import type { Argv } from 'yargs';
import type { Admin, GroupDescription } from '../../client/node.ts';
import { withConnection } from '../connection.ts';
import { say, sayJson, table } from '../output.ts';

interface Common {
  readonly bootstrap: string;
  readonly json: boolean;
}

/** `odradek groups list|describe`. */
export function groupsCommand(cli: Argv<Common>): Argv<Common> {
  return cli.command('groups', 'List and describe consumer groups', (groups) =>
    groups
      .command('list', 'List the groups', (command) => command, list)
      .command(
        'describe <group>',
        "A group's members, committed offsets and lag",
        (command: Argv<Common>) =>
          command.positional('group', { type: 'string', demandOption: true, describe: 'The group' }),
        describe,
      )
      .demandCommand(1, 'Name what to do: list or describe'),
  );
}

function list({ bootstrap, json }: Common): Promise<void> {
  return withConnection(bootstrap, async ({ admin }) => {
    const groups = await admin.listGroups();
    if (json) sayJson(groups);
    else
      say(
        table(
          ['group', 'state'],
          groups.map(({ groupId, state }) => [groupId, state]),
        ),
      );
  });
}

function describe({ bootstrap, json, group: id }: Common & { readonly group: string }): Promise<void> {
  return withConnection(bootstrap, async ({ admin }) => {
    const group = await find(admin, id);
    const partitions = await progressOf(admin, group);
    if (json) sayJson({ ...group, partitions });
    else say(asText(group, partitions));
  });
}

async function find(admin: Admin, id: string): Promise<GroupDescription> {
  try {
    const [group] = await admin.describeGroups([id]);
    if (group) return group;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'GROUP_ID_NOT_FOUND')) throw error;
  }
  throw new Error(`there is no group "${id}"; "odradek groups list" shows those there are`);
}

interface PartitionProgress {
  readonly topic: string;
  readonly partition: number;
  readonly committedOffset: number | null;
  readonly endOffset: number | null;
  /** Records that the group has not committed yet. */
  readonly lag: number | null;
  readonly memberId: string | null;
}

/** Every partition that the group has committed or reads now. */
async function progressOf(admin: Admin, group: GroupDescription): Promise<PartitionProgress[]> {
  const progress = new Map<string, PartitionProgress>();
  const put = (row: PartitionProgress) => progress.set(`${row.topic}\n${row.partition}`, row);
  for (const { memberId, assignment } of group.members) {
    for (const which of assignment)
      put({ ...which, committedOffset: null, endOffset: null, lag: null, memberId });
  }
  for (const { topic, partition, offset } of await admin.fetchOffsets(group.groupId)) {
    const memberId = progress.get(`${topic}\n${partition}`)?.memberId ?? null;
    put({ topic, partition, committedOffset: offset, endOffset: null, lag: null, memberId });
  }
  const rows = [...progress.values()].sort((a, b) =>
    a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition,
  );
  return Promise.all(rows.map((row) => withEnd(admin, row)));
}

async function withEnd(admin: Admin, row: PartitionProgress): Promise<PartitionProgress> {
  const [listed] = await admin.listOffsets([row], 'latest').catch(() => []);
  const endOffset = listed?.offset ?? null;
  const { committedOffset } = row;
  const lag =
    endOffset === null || committedOffset === null ? null : Math.max(0, endOffset - committedOffset);
  return { ...row, endOffset, lag };
}

function asText(group: GroupDescription, partitions: readonly PartitionProgress[]): string {
  const lag = partitions.reduce((sum, row) => sum + (row.lag ?? 0), 0);
  const count = group.members.length;
  const text = [
    `group ${group.groupId}  ${group.state}  ${count} member${count === 1 ? '' : 's'}  lag ${lag}`,
  ];
  if (partitions.length > 0) {
    const rows = partitions.map((row) => [
      row.topic,
      row.partition,
      row.committedOffset,
      row.endOffset,
      row.lag,
      row.memberId,
    ]);
    text.push(table(['topic', 'partition', 'committed', 'end offset', 'lag', 'member'], rows));
  }
  return text.join('\n');
}
