import { statSync, truncateSync } from 'node:fs';
import { basename } from 'node:path';
import type { Fault } from './fault.ts';
import { isOfQuorum, nodeToDamage, storedFiles } from './stored-files.ts';

const CUTS_MAX = 3;

/** A killed node's logs lose their ends before it comes back. */
export const truncatedFiles: Fault = {
  name: 'truncated files',
  kind: 'disk',
  lastsMs: [100, 2000],
  endsNodes: true,
  destroys: true,
  begin: async (context) => {
    const { random } = context;
    const node = nodeToDamage(context);
    await node.kill();
    node.noteDamage();
    // A voter that forgets what it promised is no fault that a quorum survives; nobody could tell that it forgot.
    const files = storedFiles(node.dataDir).filter((file) => !isOfQuorum(file));
    const hit: string[] = [];
    for (let cuts = random.between(1, CUTS_MAX); cuts > 0 && files.length > 0; cuts -= 1) {
      const file = random.pick(files);
      const bytes = random.between(0, statSync(file).size);
      truncateSync(file, bytes);
      hit.push(`${basename(file)} to ${bytes}`);
    }
    return { what: `node ${node.id}: ${hit.join(', ')}`, end: () => node.startOrReplace() };
  },
};
