import type { Argv } from 'yargs';
import { asError } from '../platform/as-error.ts';
import { watchOutput } from './output.ts';

/** The command line, or the configuration that it names, is wrong: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** Where to read what would be right; the command's help unless given. */
  readonly advice: string | undefined;

  constructor(message: string, advice?: string) {
    super(message);
    this.advice = advice;
  }
}

/** What every command shares: strict options, help, and usage errors told apart from failures. */
export function usage<T>(command: Argv<T>, name: string): Argv<T> {
  return command
    .scriptName(name)
    .strict()
    .help()
    .alias('h', 'help')
    .version(false)
    .wrap(110)
    .exitProcess(false)
    .fail((message, error) => {
      // yargs hands over its own complaints as a message; what a command throws comes as the error alone.
      if (error instanceof UsageError) throw error;
      if (message && !(error && error.name !== 'YError')) throw new UsageError(plainer(message));
      throw error ?? new UsageError(message);
    });
}

function plainer(message: string): string {
  return message.startsWith('Not enough non-option arguments')
    ? 'the command lacks the name of what it is about (a topic, a group, a node)'
    : message;
}

/** Runs a command and ends the process: 0, 1 (failed, one clear line on standard error) or 2 (usage). */
export async function run(name: string, command: () => Promise<unknown>): Promise<void> {
  watchOutput();
  try {
    await command();
  } catch (error) {
    const text = asError(error).message;
    process.stderr.write(`${name}: ${text}\n`);
    if (error instanceof UsageError)
      process.stderr.write(`${error.advice ?? `Run "${name} --help" for what it takes.`}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
