import { type DestinationStream, destination, type Level, pino } from 'pino';
import type { Logger } from './ports.ts';

export interface LoggerOptions {
  readonly level: Level | 'silent';
  /** Fields of every line, e.g. the node id. */
  readonly fields?: object;
  /** Where lines go; the standard output by default. */
  readonly stream?: DestinationStream;
}

/** A pino logger. It writes synchronously, so that the last words of a dying process are not lost. */
export function createLogger(options: LoggerOptions): Logger {
  const stream = options.stream ?? destination({ fd: 1, sync: true });
  const serializers = { error: errorText };
  return pino({ level: options.level, base: { ...options.fields }, serializers }, stream);
}

/**
 * What `error` stands for in every line: a code, or what an expected failure says, in a text. `err` is for what nobody
 * expected, with its stack.
 */
function errorText(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return 'code' in error && error.code !== '' ? `${error.code}: ${error.message}` : error.message;
}

/** A stream for `createLogger` that writes lines for people to the standard output instead of JSON. */
export async function prettyStream(): Promise<DestinationStream> {
  // Only who asks for it pays for loading it: a node must be up fast.
  const { default: pretty } = await import('pino-pretty');
  return pretty({ destination: 1, sync: true, singleLine: true, errorLikeObjectKeys: ['err'] });
}
