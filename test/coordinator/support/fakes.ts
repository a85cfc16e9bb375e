/** A platform whose time passes when told, and a metadata log that commits when told. */

import type { MetadataLog } from '../../../src/coordinator/group-log.ts';
import { MetadataImage } from '../../../src/metadata/image.ts';
import type { MetadataRecord } from '../../../src/metadata/records.ts';
import type { Clock, Logger, Timer, Timers } from '../../../src/platform/ports.ts';
import { KafkaError } from '../../../src/protocol/errors.ts';

export class FakeTime implements Clock, Timers {
  nowMs = 1_000;
  #timers: { readonly atMs: number; readonly fn: () => void; readonly timer: Timer }[] = [];

  monotonicMs = (): number => this.nowMs;
  wallMs = (): number => this.nowMs;

  set = (delayMs: number, fn: () => void): Timer => {
    const timer: Timer = { timer: {} };
    this.#timers.push({ atMs: this.nowMs + delayMs, fn, timer });
    return timer;
  };

  clear = (timer: Timer): void => {
    this.#timers = this.#timers.filter((pending) => pending.timer !== timer);
  };

  soon = (fn: () => void): void => void this.set(0, fn);

  /** Lets time pass, timer by timer, promises settled in between. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      await settled();
      const [next] = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (!next) break;
      this.#timers = this.#timers.filter((pending) => pending !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.fn();
    }
    this.nowMs = endMs;
  }
}

/** Runs all microtasks that are due. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

export class FakeLogger implements Logger {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  debug = (fields: object, message: string) => void this.lines.push({ level: 'debug', fields, message });
  info = (fields: object, message: string) => void this.lines.push({ level: 'info', fields, message });
  warn = (fields: object, message: string) => void this.lines.push({ level: 'warn', fields, message });
  error = (fields: object, message: string) => void this.lines.push({ level: 'error', fields, message });
  child = () => this;
}

interface Entry {
  readonly records: readonly MetadataRecord[];
  readonly resolve: (image: MetadataImage) => void;
  readonly reject: (error: Error) => void;
}

export class FakeLog implements MetadataLog {
  committed = MetadataImage.EMPTY;
  speculative = MetadataImage.EMPTY;
  readonly proposals: (readonly MetadataRecord[])[] = [];
  /** Commit each entry at once. */
  auto = true;
  #entries: Entry[] = [];

  speculativeImage(): MetadataImage {
    return this.speculative;
  }

  propose(records: readonly MetadataRecord[]): Promise<MetadataImage> {
    this.proposals.push(records);
    this.speculative = this.speculative.apply(records, this.speculative.index + 1);
    const committed = new Promise<MetadataImage>((resolve, reject) => {
      this.#entries.push({ records, resolve, reject });
    });
    if (this.auto) this.commit();
    return committed;
  }

  commit(count = Number.POSITIVE_INFINITY): void {
    for (const { records, resolve } of this.#entries.splice(0, count)) {
      this.committed = this.committed.apply(records, this.committed.index + 1);
      resolve(this.committed);
    }
  }

  lose(): void {
    for (const { reject } of this.#entries.splice(0)) reject(new KafkaError('NOT_CONTROLLER'));
    this.speculative = this.committed;
  }
}

/** The records of a topic whose partitions all look alike. */
export function topicRecords(
  name: string,
  topicId: string,
  partitions: number,
  more: { leader?: number; replicas?: number[]; isr?: number[]; elr?: number[]; leaderEpoch?: number } = {},
): MetadataRecord[] {
  const replicas = more.replicas ?? [1];
  const shape = { replicas, isr: more.isr ?? replicas, elr: more.elr ?? [], leader: more.leader ?? 1 };
  const epochs = { leaderEpoch: more.leaderEpoch ?? 0, partitionEpoch: 0 };
  return [
    { type: 'Topic', name, topicId },
    ...Array.from({ length: partitions }, (_, partition) => ({
      type: 'Partition' as const,
      topicId,
      partition,
      ...shape,
      ...epochs,
    })),
  ];
}
