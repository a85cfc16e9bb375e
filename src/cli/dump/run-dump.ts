import { silentLogger } from '../../client/rpc.ts';
import { readIfExists } from '../../log/file-helpers.ts';
import { nodeCodecs } from '../../protocol/codecs/node.ts';
import { setCodecLoader } from '../../protocol/compression.ts';
import type { LogDumpArguments, MetadataDumpArguments } from '../commands/dump.ts';
import { dataDirOf } from './data-dir.ts';
import { JsonLines } from './json-lines.ts';
import { LogDump } from './log-dump.ts';
import { type PartitionFolder, readLogFolder } from './log-folder.ts';
import { MetadataDump } from './metadata-dump.ts';
import { EVERY_OFFSET } from './offset-range.ts';
import { imageOf, readRaftFolder } from './raft-folder.ts';
import { isMissing, readOnlyDisk } from './read-only-disk.ts';

/** Prints the logs on a node's disk. @throws Error when any of them is corrupt */
export async function dumpLog(options: LogDumpArguments): Promise<void> {
  setCodecLoader(nodeCodecs(silentLogger));
  const dataDir = await dataDirOf(options);
  const folder = await readLogFolder(readOnlyDisk, `${dataDir}/log`);
  const names = await topicNames(dataDir);
  const wanted = selected(folder.partitions, names, options);
  const out = new JsonLines();
  const { records, verify, keys: key, values: value, offset: range = EVERY_OFFSET } = options;
  const formats = { key, value };
  const dump = new LogDump(readOnlyDisk, out, folder.pageCacheLost, { range, records, verify, formats });
  if (folder.isCheckpointDamaged) {
    const reason = 'its checksum does not match; the next start scans every log';
    await out.write({
      type: 'damage',
      file: `${dataDir}/log/offsets-checkpoint`,
      verdict: 'corrupt',
      reason,
    });
    dump.corruptions += 1;
  }
  for (const partition of wanted) await dump.dump(partition, names.get(partition.topicId) ?? null);
  await out.flush();
  complain(dump.corruptions);
}

function selected(
  partitions: readonly PartitionFolder[],
  names: ReadonlyMap<string, string>,
  { topic, partition }: LogDumpArguments,
): PartitionFolder[] {
  const found = partitions.filter(
    (each) =>
      (topic === undefined || each.topicId === topic || names.get(each.topicId) === topic) &&
      (partition === undefined || each.partition === partition),
  );
  if (found.length > 0 || (topic === undefined && partition === undefined)) return found;
  const here = [...new Set(partitions.map((each) => names.get(each.topicId) ?? each.topicId))];
  const what = [topic && `topic "${topic}"`, partition !== undefined && `partition ${partition}`];
  throw new Error(
    `this node has no replica of ${what.filter(Boolean).join(', ')}; it has logs of ${here.join(', ') || 'nothing'}`,
  );
}

/** By topic id, from the metadata on the same disk. */
async function topicNames(dataDir: string): Promise<ReadonlyMap<string, string>> {
  try {
    const image = imageOf(await readRaftFolder(readOnlyDisk, `${dataDir}/raft`));
    return new Map(image.sortedTopics().map(({ id, name }) => [id, name]));
  } catch (error) {
    if (isMissing(error)) return new Map();
    throw error;
  }
}

/** Prints the metadata log on a node's disk. @throws Error when it is corrupt */
export async function dumpMetadata(options: MetadataDumpArguments): Promise<void> {
  const dataDir = await dataDirOf(options);
  const out = new JsonLines();
  const { from = 0, records } = options;
  const dump = new MetadataDump(await readRaftFolder(readOnlyDisk, `${dataDir}/raft`), out, {
    from,
    records,
  });
  const identity = await readIfExists(readOnlyDisk, `${dataDir}/node.json`);
  if (identity) await out.write({ type: 'node', ...JSON.parse(new TextDecoder().decode(identity)) });
  await dump.dump();
  await out.flush();
  complain(dump.corruptions);
}

function complain(corruptions: number): void {
  if (corruptions === 0) return;
  throw new Error(
    corruptions === 1 ? 'one thing is corrupt: see above' : `${corruptions} things are corrupt: see above`,
  );
}
