import { addAbortSignal } from 'node:stream';
import type { Argv } from 'yargs';
import type { Acks } from '../../client/node.ts';
import { explainingTopic, withConnection } from '../connection.ts';
import { interruption } from '../interrupt.ts';
import { integer, oneText } from '../options.ts';
import { sayJson } from '../output.ts';
import { lineParser } from '../produce/line-parser.ts';
import { linesOf } from '../produce/lines.ts';
import { LineSender } from '../produce/produce-lines.ts';
import { showProgress } from '../produce/progress.ts';

interface Common {
  readonly bootstrap: string;
  readonly json: boolean;
}

interface ProduceOptions extends Common {
  readonly topic: string;
  readonly keySeparator: string | undefined;
  readonly keyField: string | undefined;
  readonly acks: string;
  readonly lingerMs: number | undefined;
  readonly batchSize: number | undefined;
}

const LINE_BYTES_MAX = 16 * 1024 * 1024;
/** Enough to keep three brokers busy, little enough that latencies tell of the cluster and not of this queue. */
const BUFFER_BYTES_MAX = 8 * 1024 * 1024;
const ACKS: Readonly<Record<string, Acks>> = { all: 'all', '1': 1, '0': 0 };

/** `odradek produce TOPIC`. */
export function produceCommand(cli: Argv<Common>): Argv<Common> {
  return cli.command(
    'produce <topic>',
    'Send each line of the standard input as a record; ends with a summary as JSON',
    (command: Argv<Common>) =>
      command
        .positional('topic', { type: 'string', demandOption: true, describe: 'The topic to write to' })
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
        }),
    produce,
  );
}

function produce(options: ProduceOptions): Promise<void> {
  const parse = lineParser(options);
  const { topic, lingerMs, batchSize } = options;
  return withConnection(options.bootstrap, async ({ client, admin }) => {
    await explainingTopic(topic, () => admin.describeTopics([topic]));
    const producer = client.producer({
      acks: ACKS[options.acks] ?? 'all',
      bufferBytesMax: BUFFER_BYTES_MAX,
      ...(lingerMs !== undefined && { lingerMs }),
      ...(batchSize !== undefined && { batchBytes: batchSize }),
    });
    const sender = new LineSender(producer, topic, parse);
    const stopProgress = showProgress(() => sender.summary);
    const input = addAbortSignal(interruption(), process.stdin);
    try {
      await sender.sendAll(linesOf(input, LINE_BYTES_MAX));
    } finally {
      stopProgress();
      // A failure, too, leaves word of what was acknowledged before it.
      sayJson(sender.summary);
      process.stdin.destroy();
    }
  });
}
