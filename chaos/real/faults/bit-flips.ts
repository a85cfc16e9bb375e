import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Fault } from './fault.ts';
import { isOfQuorum, nodeToDamage, storedFiles } from './stored-files.ts';

const FLIPS_MAX = 5;

/** Bits of a killed node's files flip before it comes back. */
export const bitFlips: Fault = {
  name: 'bit flips in files',
  kind: 'disk',
  lastsMs: [100, 2000],
  endsNodes: true,
  destroys: true,
  begin: async (context) => {
    const { random } = context;
    const node = nodeToDamage(context);
    await node.kill();
    node.noteDamage();
    const files = storedFiles(node.dataDir);
    const hit: string[] = [];
    for (let flips = random.between(1, FLIPS_MAX); flips > 0 && files.length > 0; flips -= 1) {
      const file = random.pick(files);
      const bytes = readFileSync(file);
      // The end of the quorum's log: damage there looks like a write that was never finished, and no vote may rest on it.
      const end = isOfQuorum(file) ? Math.floor(bytes.length / 2) : bytes.length;
      const at = random.between(0, Math.max(0, end - 1));
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.between(0, 7)), at);
      writeFileSync(file, bytes);
      hit.push(`${basename(file)} at ${at}`);
    }
    return { what: `node ${node.id}: ${hit.join(', ')}`, end: () => node.startOrReplace() };
  },
};
