/** Changes of the voters of the metadata quorum, one at a time. */

import { KafkaError } from '../protocol/errors.ts';
import { AddRaftVoter } from '../protocol/messages/add-raft-voter.ts';
import { DescribeQuorum, type DescribeQuorumResponse } from '../protocol/messages/describe-quorum.ts';
import { RemoveRaftVoter } from '../protocol/messages/remove-raft-voter.ts';
import { check, retryChange } from './admin-retry.ts';
import type { VoterKey } from './admin-types.ts';
import type { Cluster } from './cluster.ts';

const OBSERVER_WAIT_MS = 5000;
const OBSERVER_POLL_MS = 250;

interface VoterCallOptions {
  /** Monotonic. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Makes an observer a voter; waits until it holds the metadata log, and the change is committed. */
export async function addVoter(cluster: Cluster, voter: VoterKey, options: VoterCallOptions): Promise<void> {
  const directoryId = await directoryToAdd(cluster, voter, options);
  await change(cluster, 'DUPLICATE_VOTER', options, (attempt, timeoutMs) => {
    const request = {
      clusterId: null,
      timeoutMs,
      voterId: voter.id,
      voterDirectoryId: directoryId,
      listeners: [],
    };
    return cluster.sendAny(AddRaftVoter, request, attempt);
  });
}

/** Takes a vote away. A leader that is removed hands over. */
export async function removeVoter(
  cluster: Cluster,
  voter: VoterKey,
  options: VoterCallOptions,
): Promise<void> {
  const directoryId = directoryOf(voter, (await describe(cluster, options)).currentVoters);
  if (directoryId === undefined)
    throw new KafkaError('VOTER_NOT_FOUND', `node ${voter.id} is not a voter of the metadata quorum`);
  await change(cluster, 'VOTER_NOT_FOUND', options, (attempt) => {
    const request = { clusterId: null, voterId: voter.id, voterDirectoryId: directoryId };
    return cluster.sendAny(RemoveRaftVoter, request, attempt);
  });
}

/** A node that just started, or whose leader just changed, takes a moment to be known as an observer. */
async function directoryToAdd(cluster: Cluster, voter: VoterKey, options: VoterCallOptions): Promise<string> {
  const { clock, timers } = cluster.runtime;
  const giveUpMs = Math.min(options.deadlineMs, clock.monotonicMs() + OBSERVER_WAIT_MS);
  for (;;) {
    const { observers, currentVoters } = await describe(cluster, options);
    // Newest answer first: the disk that the node had before may be known as well.
    const newestFirst = observers.toSorted((a, b) => a.lastResponseMsAgo - b.lastResponseMsAgo);
    const directoryId = directoryOf(voter, newestFirst) ?? directoryOf(voter, currentVoters);
    if (directoryId !== undefined) return directoryId;
    if (clock.monotonicMs() + OBSERVER_POLL_MS >= giveUpMs) {
      throw new KafkaError(
        'VOTER_NOT_FOUND',
        `node ${voter.id} does not follow the metadata quorum; start it first, with the voters of this cluster`,
      );
    }
    await new Promise<void>((resolve) => timers.set(OBSERVER_POLL_MS, resolve));
  }
}

function directoryOf(
  { id, directoryId }: VoterKey,
  among: DescribeQuorumResponse['currentVoters'],
): string | undefined {
  return directoryId ?? among.find(({ replicaId }) => replicaId === id)?.directoryId;
}

function describe(
  cluster: Cluster,
  { deadlineMs, signal }: VoterCallOptions,
): Promise<DescribeQuorumResponse> {
  return cluster.retry(
    deadlineMs,
    async (attempt) => {
      const quorum = await cluster.sendAny(DescribeQuorum, {}, attempt);
      check(quorum);
      return quorum;
    },
    signal,
  );
}

function change(
  cluster: Cluster,
  doneCode: KafkaError['code'],
  { deadlineMs, signal }: VoterCallOptions,
  send: (
    attempt: number,
    timeoutMs: number,
  ) => Promise<{ readonly errorCode: number; readonly errorMessage: string | null }>,
): Promise<void> {
  const attempted = async (attempt: number) => {
    const leftMs = Math.max(1, Math.floor(deadlineMs - cluster.runtime.clock.monotonicMs()));
    check(await send(attempt, leftMs));
  };
  return retryChange(cluster, deadlineMs, doneCode, attempted, signal);
}
