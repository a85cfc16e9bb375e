/** What goes into the sender's core and what comes out of it, and how it reads a broker's refusals. */

import type { ErrorName } from '../protocol/errors.ts';
import type { BatchCompression, ProducerBatch } from './accumulator.ts';
import type { DeliveryError } from './errors.ts';

export interface SenderLimits {
  readonly batchBytes: number;
  readonly lingerMs: number;
  readonly requestBytesMax: number;
  /** Requests unanswered per node, and batches unanswered per partition: brokers remember five (KIP-98). */
  readonly requestsInFlightMax: number;
  readonly deliveryTimeoutMs: number;
  readonly idempotent: boolean;
  readonly compression?: BatchCompression;
}

/** Where a partition's records go now. */
export interface LeaderView {
  leaderOf(topic: string, partition: number): number | undefined;
}

export interface ProduceWork {
  readonly requestId: number;
  readonly nodeId: number;
  /** At most one per partition. */
  readonly batches: readonly ProducerBatch[];
}

export interface SendPlan {
  readonly requests: readonly ProduceWork[];
  /** Some partition has no known leader, or one that cannot be reached. */
  readonly needsMetadata: boolean;
  readonly needsProducerId: boolean;
  /** When to ask again, if nothing happens before; monotonic, infinite when there is nothing to wait for. */
  readonly wakeAtMs: number;
}

/** What became of a batch: an offset, or an error. */
export interface Settled {
  readonly batch: ProducerBatch;
  readonly offset: number;
  readonly appendTimeMs: number;
  readonly error: DeliveryError | undefined;
}

export interface BatchAnswer {
  readonly errorCode: number;
  readonly errorMessage?: string | null;
  readonly baseOffset: number;
  readonly logAppendTimeMs: number;
}

/** How a broker says that it cannot place a batch's sequence number. */
export const SEQUENCE_ERRORS: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
]);
/** Refusals after which the batch may be in the log nevertheless. */
export const MAYBE_WRITTEN: ReadonlySet<ErrorName> = new Set<ErrorName>([
  // Also what waits for replicas when the leader is replaced: it is in that log, and often in the new leader's.
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'UNKNOWN_SERVER_ERROR',
]);

/** Refusals of the size of a batch; its records one by one may be fine. */
export const TOO_LARGE: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
]);
