import { loadConfig } from '../node-config.ts';
import { UsageError } from '../run.ts';
import { readOnlyDisk } from './read-only-disk.ts';

/** The data folder that the options name, by itself or through a node's config. @throws UsageError, Error */
export async function dataDirOf(options: {
  readonly dataDir: string | undefined;
  readonly config: string | undefined;
}): Promise<string> {
  const { dataDir, config } = options;
  if (dataDir !== undefined && config !== undefined)
    throw new UsageError('--data-dir and --config exclude each other');
  if (dataDir === undefined && config === undefined && !process.env.ODRADEK_CONFIG)
    throw new UsageError("name the node's folder: --data-dir DIR, or --config FILE of the node");
  const dir = dataDir ?? (await loadConfig({ config, set: [] })).config.dataDir;
  if (await readOnlyDisk.exists(`${dir}/node.json`)) return dir;
  // `bin/cluster` keeps a node's data one level down.
  if (await readOnlyDisk.exists(`${dir}/data/node.json`)) return `${dir}/data`;
  throw new Error(`${dir} is no node's data folder: there is no node.json in it`);
}
