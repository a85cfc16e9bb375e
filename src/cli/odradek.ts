/**
 * `bin/odradek`: runs a node, and is a client of a cluster. One file per group of commands in `commands/`; begin
 * reading in `command-line.ts`. This layer knows `client/` and how to start `server/`, and nothing inside a broker.
 */
import { startDirectly } from './commands/start.ts';
import { run } from './run.ts';

/** What the scripts of `odradek completion` call it with, before the words typed so far. */
const COMPLETION_OPTION = '--get-yargs-completions';

await run('odradek', () => {
  const args = process.argv.slice(2);
  return startDirectly(args) ?? parseAndRun(args);
});

async function parseAndRun(args: string[]): Promise<unknown> {
  if (args[0] === COMPLETION_OPTION) return (await import('./completion/complete.ts')).completeWords(args);
  const [{ default: yargs }, { odradekCommandLine }] = await Promise.all([
    import('yargs'),
    import('./command-line.ts'),
  ]);
  return odradekCommandLine(yargs(args)).parseAsync();
}
