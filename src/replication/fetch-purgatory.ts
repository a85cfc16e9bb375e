/**
 * Serves fetches of consumers and followers. What does not have `minBytes` yet waits here, for `maxWaitMs` at most, and is
 * read again when the high watermark (consumers) or the log end (followers) of one of its partitions moved. Moves of
 * one turn of the event loop wake a fetch once.
 */

import type { Sample, Timer, Timers } from '../platform/ports.ts';
import type { FetchRequest, FetchResponse } from '../protocol/messages/fetch.ts';
import type { FetchEntry } from './led-partition.ts';
import { REPLICATION_METRICS } from './metrics.ts';
import { fetchRefusal, type Partition } from './partition.ts';
import type { FetchedPartition } from './partition-follower.ts';
import type { ReplicationEvents } from './replication-events.ts';
import type { ReplicationLimits } from './types.ts';
import type { ParkedFetch } from './waiters.ts';

export interface FetchPurgatoryOptions {
  readonly timers: Timers;
  readonly limits: ReplicationLimits;
  readonly events: ReplicationEvents;
  readonly find: (topicId: string, partition: number) => Partition | undefined;
}

/**
 * Announces how many bytes a fetch may be answered with, or was; returns how many of them its caller may be sent. A
 * caller that does not read is so never read for.
 */
export type ReserveAnswer = (bytesMax: number) => number;

/** One partition of a fetch. `answer` is set when it is final: an error or a divergence. */
interface Wanted {
  readonly topicId: string;
  readonly entry: FetchEntry;
  readonly partition: Partition | undefined;
  readonly answer: FetchedPartition | undefined;
}

/** What one pass over the partitions of a fetch found. */
interface Pass {
  readonly answers: FetchedPartition[];
  /** What was granted of the fetch's own limit. */
  readonly bytesMax: number;
  bytes: number;
  isFinal: boolean;
  /** It awaited the disk: what moved meanwhile went unseen. */
  waited: boolean;
}

class Fetch implements ParkedFetch {
  readonly replicaId: number;
  readonly isFollower: boolean;
  readonly minBytes: number;
  readonly bytesMax: number;
  readonly wanted: readonly Wanted[];
  readonly reserve: ReserveAnswer;
  readonly respond: (response: FetchResponse) => void;
  timer: Timer | undefined;
  /** `new` and `reading` fetches wait on no partition. */
  state: 'new' | 'reading' | 'parked' | 'done' = 'new';
  isWoken = false;
  /** On the meter's clock. */
  parkedAt = 0;
  /** Its time is up: it is answered with what there is. */
  isExpired: boolean;

  constructor(
    request: FetchRequest,
    bytesMax: number,
    wanted: readonly Wanted[],
    reserve: ReserveAnswer,
    respond: (response: FetchResponse) => void,
  ) {
    this.replicaId = request.replicaState.replicaId;
    this.isFollower = this.replicaId >= 0;
    this.minBytes = request.minBytes;
    this.bytesMax = Math.min(request.maxBytes, bytesMax);
    this.wanted = wanted;
    this.reserve = reserve;
    this.respond = respond;
    this.isExpired = request.maxWaitMs <= 0;
  }
}

export class FetchPurgatory {
  readonly #options: FetchPurgatoryOptions;
  readonly #parked = new Set<Fetch>();
  readonly #ofReplica = new Map<number, Fetch>();
  #woken: Fetch[] = [];
  #isClosed = false;

  constructor(options: FetchPurgatoryOptions) {
    this.#options = options;
  }

  fetch(request: FetchRequest, reserve: ReserveAnswer = (bytesMax) => bytesMax): Promise<FetchResponse> {
    return new Promise((respond) => {
      const fetch = new Fetch(
        request,
        this.#options.limits.servedFetchBytesMax,
        this.#admit(request),
        reserve,
        respond,
      );
      if (fetch.isFollower) this.#supersede(fetch);
      if (this.#isClosed || this.#parked.size >= this.#options.limits.parkedFetchesMax)
        fetch.isExpired = true;
      this.#read(fetch, Math.min(request.maxWaitMs, this.#options.limits.servedFetchWaitMsMax));
    });
  }

  /** Something moved that these fetches wait for: they are read again at the end of this turn. */
  wake(fetches: ReadonlySet<ParkedFetch>): void {
    for (const parked of fetches) {
      if (parked.isWoken || !(parked instanceof Fetch)) continue;
      parked.isWoken = true;
      if (this.#woken.push(parked) === 1) this.#options.timers.soon(() => this.#readWoken());
    }
  }

  sample(sample: Sample): void {
    let followers = 0;
    for (const { isFollower } of this.#parked) if (isFollower) followers++;
    sample(REPLICATION_METRICS.purgatory, this.#parked.size - followers, 'fetch');
    sample(REPLICATION_METRICS.purgatory, followers, 'replica_fetch');
  }

  /** Answers every parked fetch with what there is, and parks none any more. */
  close(): void {
    this.#isClosed = true;
    for (const fetch of [...this.#parked]) this.#expire(fetch);
  }

  /** Checks each partition of a request that just arrived; a follower's position counts from here on. */
  #admit({ topics, replicaState }: FetchRequest): Wanted[] {
    const wanted: Wanted[] = [];
    for (const { topicId, partitions } of topics) {
      for (const entry of partitions) {
        const partition = this.#options.find(topicId, entry.partition);
        const led = partition?.ledFor(entry.currentLeaderEpoch, replicaState.replicaId);
        const answer =
          typeof led === 'object' ? led.admitFetch(entry, replicaState) : fetchRefusal(partition, entry, led);
        wanted.push({ topicId, entry, partition, answer });
      }
    }
    return wanted;
  }

  /** A replica that asks again gave up on what it asked before. */
  #supersede(fetch: Fetch): void {
    const older = this.#ofReplica.get(fetch.replicaId);
    this.#ofReplica.set(fetch.replicaId, fetch);
    if (older?.state === 'parked') this.#respond(older, []);
    else if (older) older.isExpired = true;
  }

  #readWoken(): void {
    const woken = this.#woken;
    this.#woken = [];
    for (const fetch of woken) {
      fetch.isWoken = false;
      if (fetch.state === 'parked') this.#read(fetch);
    }
  }

  #expire(fetch: Fetch): void {
    fetch.isExpired = true;
    if (fetch.state === 'parked') this.#read(fetch);
  }

  #read(fetch: Fetch, waitMs = 0): void {
    const bytesMax = fetch.reserve(fetch.bytesMax);
    // Its caller has more than enough to take already, so it need not wait for more either.
    const isFinal = bytesMax <= 0 && fetch.bytesMax > 0;
    this.#continue(fetch, { answers: [], bytesMax, bytes: 0, isFinal, waited: false }, waitMs);
  }

  /** Reads the partitions that the pass has not come to yet; in one go, unless records must come from the disk. */
  #continue(fetch: Fetch, pass: Pass, waitMs: number): void {
    const wasParked = fetch.state === 'parked';
    for (let wanted = fetch.wanted[pass.answers.length]; wanted; wanted = fetch.wanted[pass.answers.length]) {
      const answer = this.#readOne(fetch, wanted, pass);
      if (answer instanceof Promise) {
        pass.waited = true;
        if (!wasParked) fetch.state = 'reading';
        void answer.then((late) => {
          if (fetch.state === 'done') return;
          addAnswer(pass, late);
          this.#continue(fetch, pass, waitMs);
        });
        return;
      }
      addAnswer(pass, answer);
    }
    const isDone = fetch.isExpired || pass.isFinal || pass.bytes >= fetch.minBytes;
    fetch.reserve(isDone ? pass.bytes : 0);
    if (isDone) this.#respond(fetch, pass.answers);
    else this.#park(fetch, pass.waited, waitMs);
  }

  #readOne(
    { isFollower, replicaId, bytesMax: bytesWanted }: Fetch,
    { entry, partition, answer }: Wanted,
    pass: Pass,
  ): FetchedPartition | Promise<FetchedPartition> {
    if (answer) pass.isFinal = true;
    if (answer) return answer;
    // A role may have ended since the fetch arrived.
    const led = partition?.ledFor(entry.currentLeaderEpoch, replicaId);
    if (typeof led !== 'object') {
      pass.isFinal = true;
      return fetchRefusal(partition, entry, led);
    }
    // The first batch comes whatever the limits are, or a fetcher with low ones would never get any further.
    const isRefused = pass.bytesMax <= 0 && bytesWanted > 0;
    const bytesMin = pass.bytes === 0 && !isRefused ? 1 : 0;
    const bytesLeft = Math.min(entry.partitionMaxBytes, pass.bytesMax - pass.bytes);
    const read = led.read(entry, isFollower, Math.max(bytesMin, bytesLeft));
    if (!(read instanceof Promise)) return read;
    return read.then((late) => {
      const now = partition?.ledFor(entry.currentLeaderEpoch, replicaId);
      // Read from a log that may have been truncated meanwhile.
      return now === led ? late : fetchRefusal(partition, entry, typeof now === 'object' ? undefined : now);
    });
  }

  #park(fetch: Fetch, waited: boolean, waitMs: number): void {
    if (fetch.state !== 'parked') {
      fetch.state = 'parked';
      fetch.timer = this.#options.timers.set(waitMs, () => this.#expire(fetch));
      fetch.parkedAt = this.#options.events.meter.now();
      this.#parked.add(fetch);
      for (const { partition } of fetch.wanted) {
        const { waiters } = partition ?? {};
        if (fetch.isFollower) waiters?.followerFetches.add(fetch);
        else waiters?.consumerFetches.add(fetch);
      }
    }
    if (waited) this.wake(new Set([fetch]));
  }

  #respond(fetch: Fetch, answers: readonly FetchedPartition[]): void {
    if (fetch.state === 'parked') {
      this.#parked.delete(fetch);
      for (const { partition } of fetch.wanted) {
        partition?.waiters.followerFetches.delete(fetch);
        partition?.waiters.consumerFetches.delete(fetch);
      }
      if (fetch.timer) this.#options.timers.clear(fetch.timer);
      const { meter, fetchWait, replicaFetchWait } = this.#options.events;
      (fetch.isFollower ? replicaFetchWait : fetchWait).observe(meter.now() - fetch.parkedAt);
    }
    fetch.state = 'done';
    if (this.#ofReplica.get(fetch.replicaId) === fetch) this.#ofReplica.delete(fetch.replicaId);
    fetch.respond({ throttleTimeMs: 0, errorCode: 0, responses: groupByTopic(fetch.wanted, answers) });
  }
}

function addAnswer(pass: Pass, answer: FetchedPartition): void {
  pass.answers.push(answer);
  if (answer.errorCode !== 0) pass.isFinal = true;
  for (const run of answer.records) pass.bytes += run.byteLength;
}

/** Answers are in the order of `wanted`, which is the order of the request. */
function groupByTopic(
  wanted: readonly Wanted[],
  answers: readonly FetchedPartition[],
): FetchResponse['responses'] {
  const topics: FetchResponse['responses'] = [];
  answers.forEach((answer, index) => {
    const topicId = wanted[index]?.topicId ?? '';
    const last = topics.at(-1);
    if (last?.topicId === topicId) last.partitions.push(answer);
    else topics.push({ topicId, partitions: [answer] });
  });
  return topics;
}
