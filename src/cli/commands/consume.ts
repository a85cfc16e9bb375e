import { once } from 'node:events';
import type { Argv } from 'yargs';
import type { Consumer, TopicPartition } from '../../client/node.ts';
import { type Connection, explainingTopic, withConnection } from '../connection.ts';
import {
  type BytesRecord,
  type ConsumeGoal,
  consumeRecords,
  WrittenOffsets,
} from '../consume/consume-records.ts';
import { GREP_PLACES, type GrepPlace, recordFilter } from '../consume/record-filter.ts';
import { parseFormat, type RecordFormatter } from '../consume/record-format.ts';
import {
  checkOffset,
  type LogEnds,
  offsetsOf,
  type Place,
  parseEnd,
  parseStart,
  type Start,
  StartOnce,
} from '../consume/start-position.ts';
import { interruption } from '../interrupt.ts';
import { integer, oneText, optional } from '../options.ts';
import { UsageError } from '../run.ts';

interface Common {
  readonly bootstrap: string;
  readonly json: boolean;
}

interface ConsumeOptions extends Common {
  readonly topic: string;
  readonly group: string | undefined;
  readonly from: Start | undefined;
  readonly to: Place | undefined;
  readonly partition: number | undefined;
  readonly maxRecords: number | undefined;
  readonly exitAtEnd: boolean;
  readonly format: RecordFormatter;
  readonly grep: string | undefined;
  readonly grepIn: readonly GrepPlace[] | undefined;
}

/** What a run of the command has settled before it reads. */
interface Reading extends LogEnds {
  readonly topic: string;
  readonly group: string | undefined;
  /** Where to begin in each partition; undefined: where the group was. */
  readonly from: ReadonlyMap<number, number> | undefined;
  readonly signal: AbortSignal;
  readonly format: RecordFormatter;
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
          coerce: optional('--from', parseStart),
          describe:
            'earliest, latest, committed, an offset, -N (the last N of each partition) or @TIME (ms or ISO 8601); the default is committed with a group (else earliest)',
        })
        .option('to', {
          type: 'string',
          coerce: optional('--to', parseEnd),
          describe: 'Stop before this offset or @TIME, at the latest at the end that there was at the start',
        })
        .option('partition', {
          type: 'string',
          coerce: integer('--partition', 0),
          describe: 'Read this partition alone',
        })
        .option('max-records', {
          alias: 'max',
          type: 'string',
          coerce: integer('--max-records', 1),
          describe: 'Stop after so many records',
        })
        .option('exit-at-end', {
          type: 'boolean',
          default: false,
          describe: 'Stop at the end offsets that the partitions had at the start (--to latest)',
        })
        .option('format', {
          type: 'string',
          default: 'value',
          coerce: (format: unknown) => parseFormat(oneText('--format')(format) ?? 'value'),
          describe:
            'value, json (all there is; also --json), or tokens: %t topic, %p partition, %o offset, %k key, %v value, %h headers, %T timestamp, %K %S lengths, \\n \\t \\xNN',
        })
        .option('grep', {
          type: 'string',
          coerce: oneText('--grep'),
          describe: 'Only records with this text, or /regular expression/i, in key, value or headers',
        })
        .option('grep-in', {
          choices: GREP_PLACES,
          array: true,
          nargs: 1,
          describe: 'Where --grep looks; may be repeated',
        })
        .example("$0 consume flights --from -10 --format '%p:%o %k %v\\n'", 'The last ten, then what comes')
        .example('$0 consume flights --from @2026-01-01 --to @2026-01-02 --json', 'A day')
        .example('$0 consume flights --partition 0 --from 10 --to 20', 'Offsets 10 to 19'),
    consume,
  );
}

/** Rejects instead of throwing: what is wrong is complained about as with any other option. */
async function consume(options: ConsumeOptions): Promise<void> {
  const { topic, group, grep } = options;
  check(options);
  const matches = grep === undefined ? undefined : recordFilter(grep, options.grepIn);
  await withConnection(options.bootstrap, (connection) =>
    explainingTopic(topic, async () => {
      const reading = await settle(connection, options);
      const recordsMax = options.maxRecords ?? Number.POSITIVE_INFINITY;
      const consumer = connection.client.consumer({
        ...(group !== undefined && { group }),
        autoOffsetReset: 'earliest',
        autoCommit: false,
        pollRecordsMax: matches ? POLL_RECORDS_MAX : Math.min(recordsMax, POLL_RECORDS_MAX),
      });
      const to = options.to ?? (options.exitAtEnd ? 'latest' : undefined);
      const goal: ConsumeGoal = {
        recordsMax,
        endOffsets: to && endOffsets(await offsetsOf(connection.admin, to, reading), reading),
        ...(matches && { matches }),
        ...(group !== undefined && { committed: () => committedOffsets(connection, group, topic) }),
      };
      await read(consumer, reading, options.partition !== undefined, goal);
    }),
  );
}

function check({ group, from, to, grep, grepIn }: ConsumeOptions): void {
  if (group === '') throw new UsageError('--group is empty');
  if (grep === '') throw new UsageError('--grep is empty');
  if (grepIn !== undefined && grep === undefined) throw new UsageError('--grep-in needs --grep');
  if (from === 'committed' && group === undefined)
    throw new UsageError('--from committed needs --group: only groups commit');
  const value = (place: Start | undefined, name: string) =>
    typeof place === 'object' ? (Object.entries(place).find(([key]) => key === name)?.[1] ?? -1) : -1;
  for (const name of ['offset', 'timestamp']) {
    if (value(to, name) >= 0 && value(from, name) >= value(to, name))
      throw new UsageError('--to is not behind --from: the range is empty');
  }
}

async function settle(connection: Connection, options: ConsumeOptions): Promise<Reading> {
  const { topic, group } = options;
  const format = options.json ? parseFormat('json') : options.format;
  const { admin } = connection;
  const partitions = await partitionsToRead(connection, topic, options.partition);
  const ends: LogEnds = {
    starts: await admin.listOffsets(partitions, 'earliest'),
    ends: await admin.listOffsets(partitions, 'latest'),
  };
  const start = options.from ?? (group === undefined ? 'earliest' : 'committed');
  checkOffset(start, ends);
  const from = start === 'committed' ? undefined : await offsetsOf(admin, start, ends);
  return { ...ends, topic, group, from, signal: interruption(), format };
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
function endOffsets(to: ReadonlyMap<number, number>, { starts }: LogEnds): number[] {
  const offsets: number[] = [];
  for (const { partition, offset: start } of starts) {
    const end = to.get(partition) ?? 0;
    offsets[partition] = end > start ? end : 0;
  }
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
): Promise<void> {
  const { topic, group, starts, signal } = reading;
  const written = new WrittenOffsets();
  const commit = async (partitions?: readonly TopicPartition[]) => {
    const offsets = group === undefined ? [] : written.take(partitions);
    if (offsets.length > 0) await consumer.commitSync(offsets);
  };
  const start = new StartOnce(consumer, reading.from);
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
  const write = async (records: readonly BytesRecord[], done: readonly BytesRecord[]) => {
    await writeOut(reading.format(records), signal);
    if (signal.aborted && process.stdout.destroyed) return;
    written.add(done);
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
