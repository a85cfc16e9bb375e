/** `odradek log dump` and `odradek metadata dump`: what a node has on its disk, running or stopped. Nothing is written. */

import type { Argv } from 'yargs';
import { type OffsetRange, parseOffsetRange } from '../dump/offset-range.ts';
import { integer, oneText, optional } from '../options.ts';
import { BYTES_FORMATS, type BytesFormat, bytesFormat } from '../record-json.ts';

interface FolderOptions {
  readonly dataDir: string | undefined;
  readonly config: string | undefined;
  readonly records: boolean;
}

export interface LogDumpArguments extends FolderOptions {
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly offset: OffsetRange | undefined;
  readonly verify: boolean;
  readonly keys: BytesFormat;
  readonly values: BytesFormat;
}

export interface MetadataDumpArguments extends FolderOptions {
  readonly from: number | undefined;
}

/** `odradek log dump`. */
export function logCommand<T>(cli: Argv<T>): Argv<T> {
  return cli.command('log', "Look into partitions' logs on a node's disk", (log) =>
    log
      .command(
        'dump',
        'Print segments, batches and records as JSON lines; exit status 1 when something is corrupt',
        (command: Argv<T>) =>
          withFolder(command)
            .option('topic', {
              type: 'string',
              coerce: oneText('--topic'),
              describe: 'This topic alone, by its name or id',
            })
            .option('partition', {
              type: 'string',
              coerce: integer('--partition', 0),
              describe: 'This partition alone',
            })
            .option('offset', {
              type: 'string',
              coerce: optional('--offset', parseOffsetRange),
              describe: 'START:END (up to but not including END), START: or :END, or one offset',
            })
            .option('verify', {
              type: 'boolean',
              default: false,
              describe: 'Also compare indexes, epoch checkpoints and producer snapshots with the segments',
            })
            .option('keys', withBytesFormat('--keys', 'How keys are shown'))
            .option('values', withBytesFormat('--values', 'How values are shown'))
            .example('$0 log dump --data-dir data/cluster/node-1 --topic flights --records', 'All of a topic')
            .example(
              '$0 log dump --config config/node-1.yaml --verify | grep -v batch',
              'Is everything whole?',
            ),
        dumpLog,
      )
      .demandCommand(1, 'Name what to do: dump'),
  );
}

/** `odradek metadata dump`. */
export function metadataCommand<T>(cli: Argv<T>): Argv<T> {
  return cli.command('metadata', "Look into the quorum's log on a node's disk", (metadata) =>
    metadata
      .command(
        'dump',
        'Print snapshots and entries of the metadata log as JSON lines; exit status 1 when something is corrupt',
        (command: Argv<T>) =>
          withFolder(command)
            .option('from', {
              type: 'string',
              coerce: integer('--from', 0),
              describe: 'Leave out what is below this index',
            })
            .example('$0 metadata dump --data-dir data/cluster/node-1', 'What is there')
            .example(
              `$0 metadata dump --data-dir data/cluster/node-1 --records | grep GroupOffsets`,
              'Committed offsets',
            ),
        dumpMetadata,
      )
      .demandCommand(1, 'Name what to do: dump'),
  );
}

const withFolder = <T>(command: Argv<T>) =>
  command
    .option('data-dir', {
      type: 'string',
      coerce: oneText('--data-dir'),
      describe: "The node's data folder; the node may be running",
    })
    .option('config', {
      type: 'string',
      coerce: oneText('--config'),
      describe: "The node's config file, which names that folder",
    })
    .option('records', { type: 'boolean', default: false, describe: 'Print the records too' });

const withBytesFormat = (name: string, describe: string) =>
  ({
    type: 'string',
    choices: BYTES_FORMATS,
    default: 'text' as BytesFormat,
    coerce: bytesFormat(name),
    describe: `${describe} (text falls back to base64 where the bytes are no UTF-8)`,
  }) as const;

async function dumpLog(options: LogDumpArguments): Promise<void> {
  await (await import('../dump/run-dump.ts')).dumpLog(options);
}

async function dumpMetadata(options: MetadataDumpArguments): Promise<void> {
  await (await import('../dump/run-dump.ts')).dumpMetadata(options);
}
