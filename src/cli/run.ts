import type { Argv } from 'yargs';
import { asError } from '../platform/as-error.ts';
import { nearest } from '../platform/nearest.ts';
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
    .recommendCommands()
    .help()
    .alias('h', 'help')
    .version(false)
    .wrap(110)
    .exitProcess(false)
    .fail((message, error, yargs) => {
      // yargs hands over its own complaints as a message; what a command throws comes as the error alone.
      if (error instanceof UsageError) throw error;
      if (message && !(error && error.name !== 'YError'))
        throw new UsageError(plainer(message, optionsOf(yargs)));
      throw error ?? new UsageError(message);
    });
}

/** The options that the command at hand describes; @types/yargs does not tell that yargs hands over its usage here. */
function optionsOf(yargs: unknown): string[] {
  const { getDescriptions } = yargs as { readonly getDescriptions?: () => Readonly<Record<string, unknown>> };
  return Object.keys(getDescriptions?.() ?? {}).filter((name) => name.length > 1);
}

/** An option that is not there, with the one that may have been meant. */
function unknownOption(name: string, known: readonly string[]): string {
  const candidate = nearest(name, known);
  const inCommon = [...name].filter((letter) => candidate?.includes(letter)).length;
  const isLikely =
    candidate !== undefined &&
    Math.abs(name.length - candidate.length) <= 3 &&
    inCommon * 3 >= Math.max(name.length, candidate.length) * 2;
  return `there is no option --${name}${isLikely ? `; did you mean --${candidate}?` : ''}`;
}

function plainer(message: string, options: readonly string[]): string {
  const [, name, given, choices] = /Argument: (.+), Given: (.*), Choices: (.*)/.exec(message) ?? [];
  if (name !== undefined) return `${name} is one of ${choices}, not ${given}`;
  const [, unknown] = /^Unknown arguments?: ([^,]+)/.exec(message) ?? [];
  if (unknown !== undefined && process.argv.some((argument) => argument.startsWith(`--${unknown}`)))
    return unknownOption(unknown, options);
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
