/** The failures that a client reports. What came over the wire is a `KafkaError`, often the `cause` of one of these. */

import { KafkaError } from '../protocol/errors.ts';

/** Codes that only a client has; a broker's own codes are those of `KafkaError`. */
export type ClientErrorCode =
  | 'ABORTED'
  | 'BUFFER_EXHAUSTED'
  | 'CLOSED'
  | 'COMMIT_FAILED'
  | 'DELIVERY_FAILED'
  | 'DELIVERY_TIMEOUT'
  | 'INVALID_CONFIG'
  | 'INVALID_RECORD'
  | 'INVALID_STATE'
  | 'LOG_TRUNCATED'
  | 'NO_OFFSET'
  | 'OFFSET_OUT_OF_RANGE'
  | 'SERIALIZATION_FAILED'
  | 'TIMED_OUT';

/** What to do about each of them. */
export const CLIENT_ADVICE: Readonly<Record<ClientErrorCode, string>> = {
  ABORTED: 'Nothing, if that was meant. What was under way may have happened nevertheless.',
  BUFFER_EXHAUSTED: 'Await each send, or ready() before it; or raise bufferBytesMax or maxBlockMs.',
  CLOSED: 'Make a new one; close only once all calls have settled.',
  COMMIT_FAILED:
    'Poll again: the consumer rejoins, and what was not committed comes again. Finish batches sooner, or raise rebalanceTimeoutMs.',
  DELIVERY_FAILED:
    'See the cause and its advice; maybeWritten tells whether the record may be in the log all the same.',
  DELIVERY_TIMEOUT:
    'Check that the partition has a leader and enough replicas in sync. Sending again may write a duplicate where maybeWritten is true.',
  INVALID_CONFIG: 'Correct the option that the message names.',
  INVALID_RECORD: 'Correct the record, or add partitions to the topic.',
  INVALID_STATE: 'Correct the order of the calls; the message says what is missing.',
  LOG_TRUNCATED:
    'Seek to divergentOffset, or to where your application can go on; what was read from there on is not in the log any more.',
  NO_OFFSET: 'Seek, or set autoOffsetReset to earliest or latest.',
  OFFSET_OUT_OF_RANGE: 'Seek, or set autoOffsetReset to earliest or latest.',
  SERIALIZATION_FAILED: 'See the cause. A consumer stays at the record: seek past it to go on.',
  TIMED_OUT: 'Check the addresses and that brokers are up; try again, or allow more time.',
};

/**
 * An expected failure of a client. `code` is stable; `retriable` says whether the same call may succeed later, `advice` what
 * to do, `cause` what lies behind it.
 */
export class ClientError extends Error {
  override readonly name: string = 'ClientError';
  /** Stable: what programs decide by. */
  readonly code: ClientErrorCode;
  /** Whether the same call may succeed later. */
  readonly retriable: boolean;

  constructor(code: ClientErrorCode, message: string, options: ErrorOptions & { retriable?: boolean } = {}) {
    super(message, options);
    this.code = code;
    this.retriable = options.retriable ?? false;
  }

  /** What to do about it, in a sentence or two. */
  get advice(): string {
    return CLIENT_ADVICE[this.code];
  }
}

/** A record was not (surely) written. The `cause` is the last thing that a broker or a connection said about it. */
export class DeliveryError extends ClientError {
  override readonly name = 'DeliveryError';
  readonly topic: string;
  readonly partition: number;
  /** False: surely not in the log. True: an answer was lost, so the record may be there or not. */
  readonly maybeWritten: boolean;

  constructor(
    code: ClientErrorCode,
    message: string,
    at: { topic: string; partition: number; maybeWritten: boolean; retriable: boolean; cause?: unknown },
  ) {
    super(code, message, { cause: at.cause, retriable: at.retriable });
    this.topic = at.topic;
    this.partition = at.partition;
    this.maybeWritten = at.maybeWritten;
  }
}

/**
 * The log lost records that this consumer (or its group) had read already (KIP-320). The partition stays where it is
 * until `seek` says where to go on; `divergentOffset` is the first offset at which the logs differ, when known.
 */
export class LogTruncationError extends ClientError {
  override readonly name = 'LogTruncationError';
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Where the logs begin to differ; undefined when that is not known. */
  readonly divergentOffset: number | undefined;

  constructor(topic: string, partition: number, offset: number, divergentOffset: number | undefined) {
    const where = divergentOffset === undefined ? '' : `; the logs agree up to offset ${divergentOffset}`;
    super('LOG_TRUNCATED', `${topic}-${partition} was truncated below the position ${offset}${where}`);
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.divergentOffset = divergentOffset;
  }
}

/** There is no position to start from (`NO_OFFSET`) or it is gone (`OFFSET_OUT_OF_RANGE`), and no policy to reset it. */
export class OffsetResetError extends ClientError {
  override readonly name = 'OffsetResetError';
  readonly topic: string;
  readonly partition: number;

  constructor(code: 'NO_OFFSET' | 'OFFSET_OUT_OF_RANGE', topic: string, partition: number, message: string) {
    super(code, message);
    this.topic = topic;
    this.partition = partition;
  }
}

export const closedError = (what: string): ClientError => new ClientError('CLOSED', `the ${what} is closed`);

/** Whether another attempt may help: a retriable broker error, a lost connection or a timeout. */
export function isRetriable(error: unknown): boolean {
  if (error instanceof KafkaError)
    return error.retriable || error.action === 'refresh-metadata' || error.action === 'retry';
  if (error instanceof ClientError) return error.retriable;
  return false;
}
