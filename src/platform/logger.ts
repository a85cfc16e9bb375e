import { type DestinationStream, destination, type Level, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Logger } from './ports.ts';

export interface LoggerOptions {
  readonly level: Level | 'silent';
  /** Lines for people instead of JSON. */
  readonly pretty?: boolean;
  /** Fields of every line, e.g. the node id. */
  readonly fields?: object;
  /** Where lines go; the standard output by default. */
  readonly stream?: DestinationStream;
}

/** A pino logger. It writes synchronously, so that the last words of a dying process are not lost. */
export function createLogger(options: LoggerOptions): Logger {
  const stream = options.stream ?? destination({ fd: 1, sync: true });
  const output = options.pretty === true ? pretty({ destination: stream, sync: true }) : stream;
  return pino({ level: options.level, base: { ...options.fields } }, output);
}
