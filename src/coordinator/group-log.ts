/**
 * The way of the coordinator's records into the metadata log. Offset commits are gathered: all that arrive while one
 * append is in flight become the next (group commit). Any other decision takes the waiting commits along, in front of
 * its own records, so that the log has everything in the order of arrival.
 */

import type { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord, RecordOf } from '../metadata/records.ts';
import { KafkaError } from '../protocol/errors.ts';
import { partitionKey } from './partitions.ts';

/** What the coordinator needs of the active controller. */
export interface MetadataLog {
  /** The state with everything appended, committed or not. */
  speculativeImage(): MetadataImage;
  /**
   * Resolves with the image that contains the records once they are committed; rejects when leadership is lost. With no
   * records it proves that no newer leader had taken over by then.
   */
  propose(records: readonly MetadataRecord[]): Promise<MetadataImage>;
}

type Offsets = RecordOf<'GroupOffsets'>;

interface Waiting {
  readonly record: Offsets | undefined;
  readonly resolve: (image: MetadataImage) => void;
  readonly reject: (error: unknown) => void;
}

export class GroupLog {
  readonly #log: MetadataLog;
  readonly #commitsPendingMax: number;
  #waiting: Waiting[] = [];
  #waitingCommits = 0;
  #gathering = false;
  /** The newest append of group records that is not committed yet. */
  #tail: Promise<unknown> | undefined;

  constructor(log: MetadataLog, commitsPendingMax: number) {
    this.#log = log;
    this.#commitsPendingMax = commitsPendingMax;
  }

  image(): MetadataImage {
    try {
      return this.#log.speculativeImage();
    } catch (error) {
      throw asCoordinator(error);
    }
  }

  /** Appends a decision on what `image()` showed; an empty one waits for what that image showed uncommitted. */
  async append(records: readonly MetadataRecord[]): Promise<void> {
    if (records.length === 0) {
      await this.#tail;
      return;
    }
    const appended = this.#flush(records);
    this.#tail = appended;
    try {
      await appended;
    } finally {
      if (this.#tail === appended) this.#tail = undefined;
    }
  }

  /** Commits offsets together with all others that wait. */
  commit(record: Offsets): Promise<MetadataImage> {
    if (this.#waitingCommits + record.commits.length > this.#commitsPendingMax) {
      const limit = `${this.#commitsPendingMax} commits wait (commitsPendingMax)`;
      return Promise.reject(new KafkaError('COORDINATOR_LOAD_IN_PROGRESS', limit));
    }
    return this.#gather(record);
  }

  /** The image as of now or later, known to be that of the one leader: a linearizable read. */
  read(): Promise<MetadataImage> {
    return this.#gather(undefined);
  }

  /** Gives up all that waits. */
  close(): void {
    for (const { reject } of this.#take()) reject(new KafkaError('NOT_COORDINATOR'));
  }

  #gather(record: Offsets | undefined): Promise<MetadataImage> {
    const gathered = new Promise<MetadataImage>((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
    });
    this.#waitingCommits += record?.commits.length ?? 0;
    if (!this.#gathering) this.#flushWaiting();
    return gathered;
  }

  #flushWaiting(): void {
    this.#gathering = true;
    const done = () => {
      this.#gathering = false;
      if (this.#waiting.length > 0) this.#flushWaiting();
    };
    this.#flush([]).then(done, done);
  }

  #flush(records: readonly MetadataRecord[]): Promise<MetadataImage> {
    const batch = this.#take();
    const offsets = mergeCommits(batch.flatMap(({ record }) => record ?? []));
    const appended = this.#propose([...offsets, ...records]);
    appended.then(
      (image) => {
        for (const { resolve } of batch) resolve(image);
      },
      (error) => {
        for (const { reject } of batch) reject(error);
      },
    );
    return appended;
  }

  async #propose(records: readonly MetadataRecord[]): Promise<MetadataImage> {
    try {
      return await this.#log.propose(records);
    } catch (error) {
      throw asCoordinator(error);
    }
  }

  #take(): Waiting[] {
    const batch = this.#waiting;
    this.#waiting = [];
    this.#waitingCommits = 0;
    return batch;
  }
}

/** To a client of a group, the controller is the coordinator. */
function asCoordinator(error: unknown): unknown {
  const lost = error instanceof KafkaError && error.code === 'NOT_CONTROLLER';
  return lost ? new KafkaError('NOT_COORDINATOR', undefined, { cause: error }) : error;
}

/** One record per group; of a partition committed twice, the later commit. */
function mergeCommits(records: readonly Offsets[]): Offsets[] {
  const byGroup = new Map<string, Map<string, Offsets['commits'][number]>>();
  for (const { groupId, commits } of records) {
    let merged = byGroup.get(groupId);
    if (!merged) {
      merged = new Map();
      byGroup.set(groupId, merged);
    }
    for (const commit of commits) merged.set(partitionKey(commit.topicId, commit.partition), commit);
  }
  return [...byGroup].map(([groupId, merged]) => ({
    type: 'GroupOffsets',
    groupId,
    commits: [...merged.values()],
  }));
}
