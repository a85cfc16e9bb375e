import { once } from 'node:events';
import type { Argv } from 'yargs';
import type { Consumer, ListedOffset, TopicPartition } from '../../client/node.ts';
import { type Connection, explainingTopic, withConnection } from '../connection.ts';
import {
  type BytesRecord,
  type ConsumeGoal,
  consumeRecords,
  WrittenOffsets,
} from '../consume/consume-records.ts';
import { type RecordFormat, rowsOf } from '../consume/record-format.ts';
import { parseStart, type Start, StartOnce } from '../consume/start-position.ts';
import { interruption } from '../interrupt.ts';
import { integer, oneText } from '../options.ts';
import { UsageError } from '../run.ts';

interface Common {
  readonly bootstrap: string;
  readonly json: boolean;
}

interface ConsumeOptions extends Common {
  readonly topic: string;
  readonly group: string | undefined;
  readonly from: Start | undefined;
  readonly partition: number | undefined;
  readonly max: number | undefined;
  readonly exitAtEnd: boolean;
  readonly format: string;
}

/** What a run of the command has settled before it reads. */
interface Reading {
  readonly topic: string;
  readonly group: string | undefined;
  readonly start: Start;
  /** The partitions to read: all of them, or the one that was asked for. */
  readonly starts: readonly ListedOffset[];
  readonly ends: readonly ListedOffset[];
  readonly signal: AbortSignal;
}

type BytesConsumer = Consumer<Uint8Array, Uint8Array>;

const COMMIT_INTERVAL_MS = 1000;
const POLL_RECORDS_MAX = 2000;
const LEAVE_TIMEOUT_MS = 3000;

/** `odradek consume TOPIC`. */
export function consumeCommand(cli: Argv<Common>): Argv<Common> {
  return cli.command(
    'consume <topic>',
    'Print the records of a topic, one line each, until Ctrl-C',
    (command: Argv<Common>) =>
      command
        .positional('topic', { type: 'string', demandOption: true, describe: 'The topic to read' })
        .option('group', {
          type: 'string',
          coerce: oneText('--group'),
          describe: 'Share the partitions with the other members of this group, and commit what was printed',
        })
        .option('from', {
          type: 'string',
          coerce: startOption,
          describe:
            'earliest, latest, committed or an offset; the default is committed with a group (else the earliest)',
        })
        .option('partition', {
          type: 'string',
          coerce: integer('--partition', 0),
          describe: 'Read this partition alone',
        })
        .option('max', {
          type: 'string',
          coerce: integer('--max', 1),
          describe: 'Stop after so many records',
        })
        .option('exit-at-end', {
          type: 'boolean',
          default: false,
          describe: 'Stop at the end offsets that the partitions had at the start',
        })
        .option('format', {
          type: 'string',
          choices: ['value', 'json'],
          default: 'value',
          describe: 'The value alone, or a JSON object with all there is (also --json)',
        }),
    consume,
  );
}

function startOption(value: unknown): Start | undefined {
  const text = oneText('--from')(value);
  return text === undefined ? undefined : parseStart(text);
}

function consume(options: ConsumeOptions): Promise<void> {
  const { topic, group } = options;
  if (group === '') throw new UsageError('--group is empty');
  if (options.from === 'committed' && group === undefined) {
    throw new UsageError('--from committed needs --group: only groups commit');
  }
  const format: RecordFormat = options.json || options.format === 'json' ? 'json' : 'value';
  return withConnection(options.bootstrap, (connection) =>
    explainingTopic(topic, async () => {
      const partitions = await partitionsToRead(connection, topic, options.partition);
      const reading: Reading = {
        topic,
        group,
        start: options.from ?? (group === undefined ? 'earliest' : 'committed'),
        starts: await connection.admin.listOffsets(partitions, 'earliest'),
        ends: await connection.admin.listOffsets(partitions, 'latest'),
        signal: interruption(),
      };
      const consumer = connection.client.consumer({
        ...(group !== undefined && { group }),
        autoOffsetReset: 'earliest',
        autoCommit: false,
        pollRecordsMax: Math.min(options.max ?? POLL_RECORDS_MAX, POLL_RECORDS_MAX),
      });
      const goal: ConsumeGoal = {
        recordsMax: options.max ?? Number.POSITIVE_INFINITY,
        endOffsets: options.exitAtEnd ? endOffsets(reading) : undefined,
        ...(group !== undefined && { committed: () => committedOffsets(connection, group, topic) }),
      };
      await read(consumer, reading, options.partition !== undefined, goal, format);
    }),
  );
}

async function partitionsToRead(
  { admin }: Connection,
  topic: string,
  only: number | undefined,
): Promise<TopicPartition[]> {
  const [description] = await admin.describeTopics([topic]);
  const partitions = description?.partitions.map(({ partition }) => ({ topic, partition })) ?? [];
  if (only === undefined) return partitions;
  if (only >= partitions.length) {
    throw new Error(`topic ${topic} has partitions 0 to ${partitions.length - 1}, and no ${only}`);
  }
  return [{ topic, partition: only }];
}

/** By partition number; 0 for what is empty or not to be read. */
function endOffsets({ starts, ends }: Reading): number[] {
  const offsets: number[] = [];
  ends.forEach(({ partition, offset }, index) => {
    offsets[partition] = offset > (starts[index]?.offset ?? 0) ? offset : 0;
  });
  return Array.from(offsets, (offset) => offset ?? 0);
}

async function committedOffsets(
  { admin }: Connection,
  group: string,
  topic: string,
): Promise<Map<number, number>> {
  const committed = await admin.fetchOffsets(group);
  return new Map(
    committed.filter((each) => each.topic === topic).map(({ partition, offset }) => [partition, offset]),
  );
}

async function read(
  consumer: BytesConsumer,
  reading: Reading,
  onePartition: boolean,
  goal: ConsumeGoal,
  format: RecordFormat,
): Promise<void> {
  const { topic, group, starts, ends, signal } = reading;
  const written = new WrittenOffsets();
  const commit = async (partitions?: readonly TopicPartition[]) => {
    const offsets = group === undefined ? [] : written.take(partitions);
    if (offsets.length > 0) await consumer.commitSync(offsets);
  };
  const start = new StartOnce(consumer, reading.start, starts, ends);
  if (group === undefined || onePartition) {
    await consumer.assign(starts);
    start.place(starts);
  } else {
    consumer.subscribe([topic], {
      onAssigned: (partitions) => start.place(partitions),
      onRevoked: (partitions) => commit(partitions),
      onLost: (partitions) => void written.take(partitions),
    });
  }
  let committedMs = performance.now();
  const write = async (records: readonly BytesRecord[]) => {
    await writeOut(rowsOf(records, format), signal);
    if (signal.aborted && process.stdout.destroyed) return;
    written.add(records);
    if (performance.now() - committedMs < COMMIT_INTERVAL_MS) return;
    await commit();
    committedMs = performance.now();
  };
  try {
    await consumeRecords(consumer, write, goal, signal);
    await commit();
  } finally {
    await consumer.close({ timeoutMs: LEAVE_TIMEOUT_MS });
  }
}

/** Waits while the reader is behind; a reader that is gone aborts the signal, which ends the waiting. */
async function writeOut(chunk: Buffer, signal: AbortSignal): Promise<void> {
  if (process.stdout.write(chunk) || signal.aborted) return;
  try {
    await once(process.stdout, 'drain', { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
