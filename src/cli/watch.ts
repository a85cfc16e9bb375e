/** `--watch`: shows something again and again, in place on a terminal, one after the other elsewhere. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Argv } from 'yargs';
import { asError } from '../platform/as-error.ts';
import { interruption } from './interrupt.ts';
import { integer } from './options.ts';
import { say, sayJson } from './output.ts';
import { red } from './style.ts';

export interface WatchOptions {
  readonly json: boolean;
  readonly watch: boolean;
  readonly interval: number | undefined;
}

export interface View {
  readonly json: unknown;
  readonly text: string;
}

const INTERVAL_SECONDS = 2;
const HOME = '\x1b[H';
const CLEAR_SCREEN = '\x1b[2J';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
/** Without the cursor, and with long lines cut at the edge: folded ones would push the rest off the screen. */
const BEGIN_IN_PLACE = `\x1b[?25l\x1b[?7l${CLEAR_SCREEN}`;
const END_IN_PLACE = '\x1b[?7h\x1b[?25h';

export const withWatch = <T>(command: Argv<T>) =>
  command
    .option('watch', {
      alias: 'w',
      type: 'boolean',
      default: false,
      describe: 'Show it again and again, until Ctrl-C',
    })
    .option('interval', {
      type: 'string',
      coerce: integer('--interval', 1, 3600),
      describe: `Seconds between two looks with --watch (${INTERVAL_SECONDS} by default)`,
    });

/** Shows a view once, or until Ctrl-C: then what goes wrong is shown too, since it may pass. */
export async function show(options: WatchOptions, look: () => Promise<View>): Promise<void> {
  if (!options.watch) {
    const { json, text } = await look();
    if (options.json) sayJson(json);
    else say(text);
    return;
  }
  const signal = interruption();
  const intervalMs = (options.interval ?? INTERVAL_SECONDS) * 1000;
  const inPlace = process.stdout.isTTY === true && !options.json;
  if (inPlace) {
    // However the process ends, the terminal is as it was.
    process.on('exit', () => process.stdout.write(END_IN_PLACE));
    process.stdout.write(BEGIN_IN_PLACE);
  }
  while (!signal.aborted) {
    const view = await look().catch(
      (error: unknown): View => ({
        json: { error: asError(error).message },
        text: red(asError(error).message),
      }),
    );
    if (signal.aborted) return;
    if (options.json) sayJson(view.json);
    else if (inPlace) process.stdout.write(screenful(view.text));
    else say(`${new Date().toISOString()}\n${view.text}\n`);
    await sleep(intervalMs, undefined, { signal }).catch(() => {});
  }
}

/** The text over what stood there before, cut to what the terminal can hold. */
function screenful(text: string): string {
  const lines = [new Date().toLocaleTimeString(), ...text.split('\n')];
  const rows = (process.stdout.rows ?? 25) - 1;
  const shown =
    lines.length > rows ? [...lines.slice(0, rows - 1), `... ${lines.length - rows + 1} more lines`] : lines;
  return `${HOME}${shown.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`;
}
