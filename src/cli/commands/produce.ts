import { addAbortSignal } from 'node:stream';
import type { Argv } from 'yargs';
import type { Acks } from '../../client/node.ts';
import { explainingTopic, withConnection } from '../connection.ts';
import { unescaped } from '../escapes.ts';
import { interruption } from '../interrupt.ts';
import { integer, oneText } from '../options.ts';
import { sayJson } from '../output.ts';
import { ENCODINGS, lineParser, type ParserOptions } from '../produce/line-parser.ts';
import { linesOf, wholeOf } from '../produce/lines.ts';
import { LineSender } from '../produce/produce-lines.ts';
import { showProgress } from '../produce/progress.ts';
import { UsageError } from '../run.ts';

interface Common {
  readonly bootstrap: string;
  readonly json: boolean;
}

interface ProduceOptions extends Common, ParserOptions {
  readonly topic: string;
  readonly input: string;
  readonly delimiter: string | undefined;
  readonly compression: (typeof COMPRESSIONS)[number];
  readonly partition: number | undefined;
  readonly acks: string;
  readonly lingerMs: number | undefined;
  readonly batchSize: number | undefined;
}

const LINE_BYTES_MAX = 16 * 1024 * 1024;
/** Enough to keep three brokers busy, little enough that latencies tell of the cluster and not of this queue. */
const BUFFER_BYTES_MAX = 8 * 1024 * 1024;
const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const ACKS: Readonly<Record<string, Acks>> = { all: 'all', '1': 1, '0': 0 };

/** `odradek produce TOPIC`. */
export function produceCommand(cli: Argv<Common>): Argv<Common> {
  return cli.command(
    'produce <topic>',
    'Send each line of the standard input as a record; ends with a summary as JSON',
    (command: Argv<Common>) =>
      command
        .positional('topic', { type: 'string', demandOption: true, describe: 'The topic to write to' })
        .option('input', {
          choices: ['lines', 'json', 'whole'],
          default: 'lines',
          describe:
            'Lines, JSON lines as "consume --format json" prints them, or the whole input as one value',
        })
        .option('key-separator', {
          type: 'string',
          coerce: oneText('--key-separator'),
          describe: 'The key is what stands before the first of these in a line',
        })
        .option('key-field', {
          type: 'string',
          coerce: oneText('--key-field'),
          describe: 'Lines are JSON objects; the key is the value of this field',
        })
        .option('header-separator', {
          type: 'string',
          coerce: oneText('--header-separator'),
          describe:
            'Headers, name=value,name=value, are what stands before the first of these (before the key)',
        })
        .option('header', {
          alias: 'H',
          type: 'string',
          array: true,
          nargs: 1,
          describe: 'A header for every record, name=value; may be repeated',
        })
        .option('delimiter', {
          type: 'string',
          coerce: oneText('--delimiter'),
          describe: 'What ends a record instead of a line end; \\0, \\t, \\xNN in this and in separators',
        })
        .option('encoding', {
          choices: ENCODINGS,
          default: 'text' as const,
          describe: 'Keys and values of lines are text, or base64 or hex digits of their bytes',
        })
        .option('partition', {
          type: 'string',
          coerce: integer('--partition', 0),
          describe: 'Send to this partition, whatever the key',
        })
        .option('keep-partitions', {
          type: 'boolean',
          default: false,
          describe: 'With --input json: send each record to the partition that it names',
        })
        .option('compression', {
          alias: 'z',
          choices: COMPRESSIONS,
          default: 'none' as const,
          describe: 'How batches are compressed, once, by this producer',
        })
        .option('acks', {
          type: 'string',
          choices: Object.keys(ACKS),
          default: 'all',
          describe: 'Acknowledged by every in-sync replica, by the leader (1), or not at all (0)',
        })
        .option('linger-ms', {
          type: 'string',
          coerce: integer('--linger-ms', 0, 60_000),
          describe: 'How long a record may wait for others to share its batch',
        })
        .option('batch-size', {
          type: 'string',
          coerce: integer('--batch-size', 1, LINE_BYTES_MAX),
          describe: 'A batch is sent at this size, in bytes',
        })
        .example("echo 'ATL:12' | $0 produce flights --key-separator :", 'A record with a key')
        .example(
          '$0 consume a --exit-at-end --format json | $0 produce b --input json',
          'Copy records with keys, headers and times',
        )
        .example('$0 produce images --input whole -H name=map.png < map.png', 'A file as one record'),
    produce,
  );
}

/** Rejects instead of throwing: what is wrong is complained about as with any other option. */
async function produce(options: ProduceOptions): Promise<void> {
  const parse = lineParser(options);
  const piecesOf = splitter(options);
  const { topic, lingerMs, batchSize } = options;
  await withConnection(options.bootstrap, async ({ client, admin }) => {
    await explainingTopic(topic, () => admin.describeTopics([topic]));
    const producer = client.producer({
      acks: ACKS[options.acks] ?? 'all',
      compression: options.compression,
      bufferBytesMax: BUFFER_BYTES_MAX,
      ...(lingerMs !== undefined && { lingerMs }),
      ...(batchSize !== undefined && { batchBytes: batchSize }),
    });
    const sender = new LineSender(producer, topic, parse, options.partition);
    const stopProgress = showProgress(() => sender.summary);
    const input = addAbortSignal(interruption(), process.stdin);
    try {
      await sender.sendAll(piecesOf(input));
    } finally {
      stopProgress();
      // A failure, too, leaves word of what was acknowledged before it.
      sayJson(sender.summary);
      process.stdin.destroy();
    }
  });
}

/** How the input is cut into the pieces that become records. */
function splitter({ input, delimiter }: ProduceOptions) {
  if (input === 'whole') {
    if (delimiter !== undefined) throw new UsageError('--delimiter is for lines, and --input whole has none');
    return (stream: AsyncIterable<Uint8Array>) => wholeOf(stream, LINE_BYTES_MAX);
  }
  const bytes = delimiter === undefined ? undefined : unescaped(delimiter, '--delimiter');
  if (bytes?.length === 0) throw new UsageError('--delimiter is empty');
  return (stream: AsyncIterable<Uint8Array>) => linesOf(stream, LINE_BYTES_MAX, bytes);
}
