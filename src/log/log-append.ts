/** Validates batches and appends them to a log's memory. Pure: no I/O, no clock. */

import { COMPRESSION } from '../protocol/compression.ts';
import { KafkaError } from '../protocol/errors.ts';
import {
  ATTRIBUTE,
  lastOffsetOf,
  RecordBatchError,
  type RecordBatchHeader,
  splitBatches,
  stampAppendTime,
  stampBatch,
  verifyBatch,
} from '../protocol/record-batch.ts';
import type { LogConfig } from './log-config.ts';
import type { LogState } from './log-state.ts';

export interface LeaderAppend {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** The producer sent this before: these are the offsets it got then, and nothing was appended. */
  readonly duplicate: boolean;
}

/** Appends one batch: several could neither share one answer nor be refused in part. */
export function appendLeaderBatch(
  state: LogState,
  batch: Uint8Array,
  leaderEpoch: number,
  nowWallMs: number,
): LeaderAppend {
  if (leaderEpoch < state.epochs.latest) {
    throw new Error(`append in epoch ${leaderEpoch}, but the log is in epoch ${state.epochs.latest}`);
  }
  const header = checkClientBatch(batch, state.config);
  const before = header.producerId < 0 ? undefined : state.producers.check(header);
  if (before !== undefined)
    return { baseOffset: before.baseOffset, lastOffset: before.lastOffset, duplicate: true };
  const stamped = { ...header, baseOffset: state.logEndOffset, partitionLeaderEpoch: leaderEpoch };
  stampBatch(batch, 0, stamped.baseOffset, leaderEpoch);
  if (state.config.timestampType === 'LogAppendTime') {
    stampAppendTime(batch, 0, nowWallMs);
    stamped.maxTimestamp = nowWallMs;
  }
  state.append(stamped, batch, nowWallMs);
  return { baseOffset: stamped.baseOffset, lastOffset: state.logEndOffset - 1, duplicate: false };
}

/** Appends what a leader sent; returns the last offset of the log. */
export function appendFollowerRecords(state: LogState, records: Uint8Array, nowWallMs: number): number {
  for (const bytes of asKafkaErrors(() => splitBatches(records))) {
    const header = asKafkaErrors(() => verifyBatch(bytes));
    if (header.baseOffset !== state.logEndOffset) {
      throw new KafkaError(
        'CORRUPT_MESSAGE',
        `a batch at offset ${header.baseOffset} does not follow the log's end ${state.logEndOffset}`,
      );
    }
    // Epochs that began here without a record do not count against what the leader has.
    if (header.partitionLeaderEpoch < state.epochs.latest) state.epochs.truncateFromEnd(state.logEndOffset);
    if (header.partitionLeaderEpoch < state.epochs.latest) {
      throw new KafkaError(
        'CORRUPT_MESSAGE',
        `a batch of epoch ${header.partitionLeaderEpoch} behind one of epoch ${state.epochs.latest}`,
      );
    }
    state.append(header, bytes, nowWallMs);
  }
  return state.logEndOffset - 1;
}

/** One batch: whole, undamaged, small enough, and such that a client may send it; else an error. */
function checkClientBatch(batch: Uint8Array, config: LogConfig): RecordBatchHeader {
  const [first] = asKafkaErrors(() => splitBatches(batch));
  if (first === undefined)
    throw new KafkaError('CORRUPT_MESSAGE', `${batch.length} bytes are not a whole record batch`);
  const header = asKafkaErrors(() => verifyBatch(first));
  if (first.length < batch.length) {
    const others = batch.length - first.length;
    throw new KafkaError('INVALID_RECORD', `${others} bytes follow the one batch that a request brings`);
  }
  checkHeader(header, config);
  return header;
}

function checkHeader(header: RecordBatchHeader, config: LogConfig): void {
  if (header.sizeBytes > config.maxMessageBytes) {
    throw new KafkaError(
      'MESSAGE_TOO_LARGE',
      `a batch of ${header.sizeBytes} bytes; max.message.bytes is ${config.maxMessageBytes}`,
    );
  }
  if (header.recordCount === 0 || header.recordCount !== header.lastOffsetDelta + 1) {
    const { recordCount, lastOffsetDelta } = header;
    throw new KafkaError('INVALID_RECORD', `${recordCount} records up to offset +${lastOffsetDelta}`);
  }
  if ((header.attributes & ATTRIBUTE.control) !== 0) {
    throw new KafkaError('INVALID_RECORD', 'a client cannot write control batches');
  }
  if ((header.attributes & ATTRIBUTE.transactional) !== 0) {
    throw new KafkaError('INVALID_RECORD', 'transactions are not supported');
  }
  const compression = header.attributes & ATTRIBUTE.compressionMask;
  if (compression > COMPRESSION.zstd) {
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', `there is no compression of the id ${compression}`);
  }
  if (header.producerId >= 0 && (header.baseSequence < 0 || header.producerEpoch < 0)) {
    throw new KafkaError('INVALID_RECORD', 'a batch with a producer id but without epoch or sequence');
  }
  if (!Number.isSafeInteger(lastOffsetOf(header))) throw new KafkaError('INVALID_RECORD', 'offset overflow');
}

function asKafkaErrors<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof RecordBatchError)
      throw new KafkaError('CORRUPT_MESSAGE', error.message, { cause: error });
    throw error;
  }
}
