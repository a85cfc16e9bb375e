/** The replication simulation's vocabulary: what happens, and what its nodes say to each other. */

import { ERROR_CODE } from '../../../src/protocol/errors.ts';
import type { AlterOutcome } from '../../../src/replication/isr-state.ts';
import type { FetchedPartition, FetchPosition } from '../../../src/replication/partition-follower.ts';
import type { LeaderProposal, PartitionLeader } from '../../../src/replication/partition-leader.ts';
import type { ModelRecord } from './model-log.ts';

/** One thing that happens: a number picks what, another whom. */
export interface SimEvent {
  readonly what:
    | 'produce'
    | 'sync'
    | 'fetch'
    | 'exchange'
    | 'deliver'
    | 'deliverFirst'
    | 'repeat'
    | 'drop'
    | 'metadata'
    | 'propose'
    | 'time'
    | 'crash'
    | 'restart'
    | 'fence'
    | 'unfence'
    | 'moveLeader'
    | 'settle';
  readonly pick: number;
}

export interface FetchMessage {
  readonly kind: 'fetch';
  readonly from: number;
  readonly to: number;
  readonly brokerEpoch: number;
  readonly position: FetchPosition;
}

export interface FetchReply {
  readonly kind: 'fetchReply';
  readonly to: number;
  readonly brokerEpoch: number;
  readonly position: FetchPosition;
  readonly answer: FetchedPartition;
  readonly records: readonly ModelRecord[];
}

export interface AlterMessage {
  readonly kind: 'alter';
  readonly from: number;
  readonly brokerEpoch: number;
  readonly leader: PartitionLeader;
  readonly proposal: LeaderProposal;
  /** The sender has given up on it, yet it may still arrive. */
  readonly isLate: boolean;
}

export interface AlterReply {
  readonly kind: 'alterReply';
  readonly to: number;
  readonly brokerEpoch: number;
  readonly leader: PartitionLeader;
  readonly proposalId: number;
  readonly outcome: AlterOutcome;
}

export type Message = FetchMessage | FetchReply | AlterMessage | AlterReply;

export function emptyAnswer(logStartOffset: number): FetchedPartition {
  return {
    partitionIndex: 0,
    errorCode: ERROR_CODE.NONE,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    preferredReadReplica: -1,
    records: [],
  };
}
