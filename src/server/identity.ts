import type { Disk, Random } from '../platform/ports.ts';
import { uuidFrom } from '../protocol/uuid.ts';

/** Who a data folder belongs to. The directory id is new for each new folder, so a wiped disk is a new voter. */
export interface Identity {
  readonly nodeId: number;
  readonly directoryId: string;
  /** Known once the node has joined: from then on a folder without the quorum's log is a damaged one, not a blank one. */
  readonly clusterId?: string;
}

/** The data folder belongs to another node; starting on it would let one node speak as two. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code = 'FOREIGN_DATA_DIR';
}

/** Reads `node.json` of a data folder, or writes it for a new one; durable before it returns. @throws IdentityError */
export async function loadIdentity(
  disk: Disk,
  random: Random,
  dir: string,
  nodeId: number,
): Promise<Identity> {
  await disk.mkdir(dir);
  // A killed process may have left the folder, or its files, in the page cache alone: a power loss would take all away.
  await disk.syncDir(parentOf(dir));
  await disk.syncDir(dir);
  const path = `${dir}/node.json`;
  if (await disk.exists(path)) return checked(await read(disk, path), path, nodeId);
  const identity: Identity = { nodeId, directoryId: uuidFrom(random.bytes(16)) };
  await saveIdentity(disk, dir, identity);
  return identity;
}

/** Replaces `node.json`; durable when it resolves. */
export async function saveIdentity(disk: Disk, dir: string, identity: Identity): Promise<void> {
  const path = `${dir}/node.json`;
  const file = await disk.open(`${path}.tmp`, { create: true });
  await file.truncate(0);
  await file.write(0, [new TextEncoder().encode(`${JSON.stringify(identity)}\n`)]);
  await file.sync();
  await file.close();
  await disk.rename(`${path}.tmp`, path);
  await disk.syncDir(dir);
}

function parentOf(dir: string): string {
  const slash = dir.replace(/\/+$/, '').lastIndexOf('/');
  if (slash < 0) return '.';
  return slash === 0 ? '/' : dir.slice(0, slash);
}

async function read(disk: Disk, path: string): Promise<unknown> {
  const file = await disk.open(path);
  try {
    return JSON.parse(new TextDecoder().decode(await file.read(0, await file.size())));
  } finally {
    await file.close();
  }
}

function checked(value: unknown, path: string, nodeId: number): Identity {
  const identity = value as Partial<Identity> | null;
  if (typeof identity?.nodeId !== 'number' || typeof identity.directoryId !== 'string') {
    throw new IdentityError(
      `${path} is damaged. Restore it, or wipe the folder to join again as a new node.`,
    );
  }
  if (identity.nodeId !== nodeId) {
    throw new IdentityError(
      `${path} belongs to node ${identity.nodeId}, not ${nodeId}. Set nodeId or dataDir right.`,
    );
  }
  const { directoryId, clusterId } = identity;
  return { nodeId, directoryId, ...(typeof clusterId === 'string' && { clusterId }) };
}
