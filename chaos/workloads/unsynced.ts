import { LogTruncationError } from '../../src/client/index.ts';
import { InvariantViolation } from '../invariants/violation.ts';
import { Acting } from './acting.ts';
import { Producing } from './producing.ts';
import { Reading, type TextConsumer } from './reading.ts';
import type { Recorder, TextRecord } from './recorder.ts';
import { SideTopic } from './side-topic.ts';
import type { Part, WorkloadContext, WorkloadKind } from './workload.ts';

const NAME = 'unsynced';
const PARTITION_NAMES = [`${NAME}-0`, `${NAME}-1`];

const OPERATOR_LOOKS_MS = 3000;

/**
 * A topic with `flush=os`. Where a loss of power took the last complete copy, its records may be gone; a reader of those
 * must be told so (KIP-320), and never go on as though nothing had happened.
 */
export const unsynced: WorkloadKind = {
  name: 'unsynced',
  pausesMs: [0, 0, 0, 1500],
  start: (context) => {
    const configs = { flush: 'os', 'min.insync.replicas': '2', 'segment.bytes': '4096' };
    context.recorder.leftOut.push((partition) =>
      PARTITION_NAMES.some((name, index) => name === partition && context.mayHaveLost(NAME, index)),
    );
    const told = new ToldOfTruncation(context.recorder);
    return new SideTopic(
      context,
      { name: NAME, partitions: PARTITION_NAMES.length, replicationFactor: 3, configs },
      (topic) => [
        new Producing(context, { name: 'unsynced-p', topic }),
        operator(context),
        new Reading(context, {
          ...{ name: 'unsynced-r', topic },
          onRecords: (records) => told.onRead(records),
          onError: (error, consumer, { processName }) => {
            told.onError(context, error);
            goOn(context, error as LogTruncationError, consumer, processName);
          },
        }),
      ],
    );
  },
};

/**
 * Rather unavailable than wrong: a partition whose every complete copy is gone has no leader until an operator accepts the
 * loss. He does, also after the run's end.
 */
function operator(context: WorkloadContext): Part {
  const machine = context.machine(`${NAME}-operator`);
  const admin = machine.client().admin({ timeoutMs: 20_000 });
  new Acting({ ...context, pauseMs: OPERATOR_LOOKS_MS }, machine, async () => {
    const image = context.image();
    for (const partition of image.topicByName(NAME)?.partitions ?? []) {
      const isLost = partition.leader < 0 && partition.isr.every((id) => image.isDamaged(id, partition));
      if (!isLost || !context.mayHaveLost(NAME, partition.partition)) continue;
      await admin.electLeaders([{ topic: NAME, partition: partition.partition }], { unclean: true });
    }
  });
  return { stop: () => {}, waitingFor: () => [] };
}

function goOn(
  { recorder }: WorkloadContext,
  { topic, partition, divergentOffset }: LogTruncationError,
  consumer: TextConsumer,
  reader: string,
): void {
  recorder.add({ type: 'reposition', reader, partitions: [`${topic}-${partition}`] });
  if (divergentOffset === undefined) consumer.seekToBeginning([{ topic, partition }]);
  else consumer.seek({ topic, partition, offset: divergentOffset });
}

/** Compares what the reader saw, since it was last told of a truncation, with what the log has in the end. */
class ToldOfTruncation {
  readonly #recorder: Recorder;
  readonly #read = new Map<number, TextRecord[]>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
    recorder.began(() => this.#compare());
  }

  onRead(records: readonly TextRecord[]): void {
    for (const record of records)
      this.#read.set(record.partition, [...(this.#read.get(record.partition) ?? []), record]);
  }

  onError(context: WorkloadContext, error: unknown): void {
    if (!(error instanceof LogTruncationError) || !context.mayHaveLost(NAME, error.partition)) throw error;
    this.#read.delete(error.partition);
  }

  #compare(): void {
    const finals = new Map<string, string>();
    for (const operation of this.#recorder.history) {
      if (operation.type !== 'poll' || operation.isFinal !== true) continue;
      for (const { partition, offset, value } of operation.records)
        finals.set(`${partition} ${offset}`, value);
    }
    for (const records of this.#read.values()) this.#compareOne(records, finals);
  }

  /** Whoever read what is gone, and then what is there, went past a truncation. */
  #compareOne(records: readonly TextRecord[], finals: ReadonlyMap<string, string>): void {
    let gone: TextRecord | undefined;
    for (const record of records) {
      const final = finals.get(`${NAME}-${record.partition} ${record.offset}`);
      if (final === undefined) continue;
      if (final !== record.value) gone ??= record;
      else if (gone) {
        const where = `${NAME}-${record.partition}: read ${gone.value} at ${gone.offset}, which is gone, and went on to ${record.offset}`;
        this.#recorder.unexpected.push(new InvariantViolation('log truncated silently', where));
        return;
      }
    }
  }
}
