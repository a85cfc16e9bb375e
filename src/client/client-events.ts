/** What a client, a producer and a consumer tell whoever wants to know. */

import type { DeliveryError } from './errors.ts';
import type { TopicPartition } from './fetch-positions.ts';

/** Events of a client; those of its producers and consumers among them. Listeners are called at once, and not awaited. */
export type ClientEvents = {
  /** A connection to a node stands: it answered. */
  readonly connected: { readonly node: string };
  /** A connection ended, or could not be made; it is made again when it is needed. */
  readonly disconnected: { readonly node: string; readonly reason: string };
  /** A partition has another leader than before; undefined while there is none. */
  readonly leaderMoved: TopicPartition & {
    readonly from: number | undefined;
    readonly to: number | undefined;
    readonly leaderEpoch: number;
  };
  /** A broker asked this client to slow down, and answered late for that. */
  readonly throttled: { readonly node: string; readonly api: string; readonly throttleTimeMs: number };
  /** Something failed and will be tried again. */
  readonly retry: {
    readonly what: 'produce' | 'fetch' | 'offset' | 'metadata' | 'heartbeat' | 'call';
    readonly error: Error;
    readonly topic?: string;
    readonly partition?: number;
    /** How often it has failed so far. */
    readonly attempts: number;
  };
  /** Records of a producer were given up. */
  readonly deliveryFailed: TopicPartition & { readonly records: number; readonly error: DeliveryError };
  /** A batch was too large for the topic: it goes in two halves (KIP-126). */
  readonly batchSplit: TopicPartition & { readonly records: number; readonly bytes: number };
  /** The group gave this consumer another set of partitions, and it has taken it up. */
  readonly rebalance: {
    readonly group: string;
    readonly memberEpoch: number;
    readonly partitions: readonly TopicPartition[];
  };
  /** Partitions came to this consumer, which reads them from now on. */
  readonly assigned: { readonly partitions: readonly TopicPartition[] };
  /** The consumer gives partitions back; it has committed first, where that is automatic. */
  readonly revoked: { readonly partitions: readonly TopicPartition[] };
  /** They belong to another member already. */
  readonly lost: { readonly partitions: readonly TopicPartition[] };
};
