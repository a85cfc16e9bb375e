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

type Usual = () => void;

/** Prints what the last of the words may become, a line each: commands, options, values, names. Never complains. */
export async function completeWords(args: string[]): Promise<void> {
  let names: Promise<string[]> | undefined;
  const complete = (current: string, typed: Typed, usual: Usual, done: (found: string[]) => void): void => {
    const words = typed._.slice(1).map(String);
    // A word that belongs to an option is not among these.
    const positionals = words.at(-1) === current ? words : [];
    const kind = current.startsWith('-') ? undefined : nameKindAt(positionals, args.at(-2));
    if (kind === undefined) {
      usual();
      return;
    }
    const bootstrap = String(typed.bootstrap ?? DEFAULT_BOOTSTRAP);
    names = namesOf(kind, bootstrap).then((all) => all.filter((name) => name.startsWith(current)));
    done([]);
  };
  try {
    await odradekCommandLine(yargs(args)).completion('yargs-completion', false, complete).parseAsync();
  } catch {
    // yargs goes on to complain about what is not typed in full.
  }
  for (const name of (await names) ?? []) say(name);
}
