import yargs from 'yargs';
import { odradekCommandLine } from '../command-line.ts';
import { DEFAULT_BOOTSTRAP } from '../options.ts';
import { say } from '../output.ts';
import { nameKindAt, namesOf } from './names.ts';

interface Typed {
  /** The program, commands and positionals; the last may be the word that is being typed. */
  readonly _: readonly (string | number)[];
  readonly bootstrap?: unknown;
}

type Usual = (done: (error: unknown, found: string[] | undefined) => void) => void;

/** `--option=` and the beginning of its value, as one word. */
const OPTION_AND_VALUE = /^(--[^=]+)=(.*)$/;

/** Prints what the last of the words may become, a line each: commands, options, values, names. Never complains. */
export async function completeWords(args: string[]): Promise<void> {
  const [, option, value] = OPTION_AND_VALUE.exec(args.at(-1) ?? '') ?? [];
  const isOneWord = option !== undefined && value !== undefined;
  const words = isOneWord ? [...args.slice(0, -1), option, value] : args;
  const prefix = isOneWord ? `${option}=` : '';
  for (const found of await completionsOf(words)) say(`${prefix}${found}`);
}

async function completionsOf(args: string[]): Promise<string[]> {
  let found: Promise<string[]> | string[] = [];
  const complete = (current: string, typed: Typed, usual: Usual, done: (found: string[]) => void): void => {
    const words = typed._.slice(1).map(String);
    // A word that belongs to an option is not among these.
    const positionals = words.at(-1) === current ? words : [];
    const kind = current.startsWith('-') ? undefined : nameKindAt(positionals, args.at(-2));
    if (kind === undefined) {
      usual((_, commandsAndOptions) => {
        found = commandsAndOptions ?? [];
        done([]);
      });
      return;
    }
    const bootstrap = String(typed.bootstrap ?? DEFAULT_BOOTSTRAP);
    found = namesOf(kind, bootstrap).then((all) =>
      all.filter((name) => name.startsWith(current)).map(escaped),
    );
    done([]);
  };
  try {
    await odradekCommandLine(yargs(args)).completion('yargs-completion', false, complete).parseAsync();
  } catch {
    // yargs goes on to complain about what is not typed in full.
  }
  return found;
}

/** In zsh a description stands behind a colon, and a group's name may have one. */
const escaped = (name: string): string =>
  process.env.SHELL?.includes('zsh') ? name.replaceAll(/[\\:]/g, '\\$&') : name;
