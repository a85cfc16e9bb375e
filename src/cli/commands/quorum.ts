import type { Argv } from 'yargs';
import { withConnection } from '../connection.ts';
import { integer, optional } from '../options.ts';
import { say, sayJson } from '../output.ts';
import { quorumText } from '../quorum-text.ts';
import { UsageError } from '../run.ts';
import { show, type WatchOptions, withWatch } from '../watch.ts';

interface Common {
  readonly bootstrap: string;
  readonly json: boolean;
}

interface VoterOptions extends Common {
  readonly id: number | undefined;
  readonly directory: string | undefined;
}

/** `odradek quorum describe|add-voter|remove-voter`. */
export function quorumCommand(cli: Argv<Common>): Argv<Common> {
  return cli.command('quorum', 'The voters of the metadata quorum', (quorum) =>
    quorum
      .command(
        'describe',
        'The leader, the voters and the observers, and how far each of them is',
        (command: Argv<Common>) => withWatch(command),
        describe,
      )
      .command(
        'add-voter',
        'Give a node a vote that follows the quorum as an observer',
        (command: Argv<Common>) =>
          withVoter(command).example('$0 quorum add-voter --id 4', 'Let node 4 vote, which is running'),
        add,
      )
      .command(
        'remove-voter',
        'Take the vote from a node, for good',
        (command: Argv<Common>) =>
          withVoter(command).example('$0 quorum remove-voter --id 1', 'If node 1 leads, it hands over first'),
        remove,
      )
      .demandCommand(1, 'Name what to do: describe, add-voter or remove-voter'),
  );
}

const withVoter = (command: Argv<Common>) =>
  command
    .option('id', { type: 'string', coerce: integer('--id', 0), describe: 'The node' })
    .option('directory', {
      type: 'string',
      coerce: optional('--directory', directoryId),
      describe: 'Its directory id, where the quorum knows more than one of this node',
    });

function describe(options: Common & WatchOptions): Promise<void> {
  return withConnection(options.bootstrap, ({ admin }) =>
    show(options, async () => {
      const quorum = await admin.describeQuorum();
      return { json: quorum, text: quorumText(quorum, { directories: true }) };
    }),
  );
}

function add({ bootstrap, json, id, directory }: VoterOptions): Promise<void> {
  const voter = { id: given(id), directoryId: directory };
  return withConnection(bootstrap, async ({ admin }) => {
    await admin.addVoter(voter);
    done(json, 'added', voter.id, `node ${voter.id} votes in the metadata quorum`);
  });
}

function remove({ bootstrap, json, id, directory }: VoterOptions): Promise<void> {
  const voter = { id: given(id), directoryId: directory };
  return withConnection(bootstrap, async ({ admin }) => {
    await admin.removeVoter(voter);
    done(json, 'removed', voter.id, `node ${voter.id} no longer votes in the metadata quorum`);
  });
}

function done(json: boolean, what: string, id: number, text: string): void {
  if (json) sayJson({ [what]: id });
  else say(text);
}

function directoryId(text: string): string {
  if (/^[\w-]{22}$/.test(text)) return text;
  const message = `--directory takes a directory id as "odradek quorum describe" shows it, not "${text}"`;
  throw new UsageError(message);
}

function given(id: number | undefined): number {
  if (id === undefined) throw new UsageError('say which node: --id N');
  return id;
}
