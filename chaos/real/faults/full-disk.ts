import { type Fault, nothing } from './fault.ts';

/** One volume, a small tmpfs, is filled to its last byte. */
export const fullDisk: Fault = {
  name: 'full disk',
  kind: 'disk',
  lastsMs: [2000, 5000],
  missing: ({ cluster }) =>
    cluster.nodes.some(({ volume }) => volume) ? undefined : 'it needs root, to mount a tmpfs',
  begin: async ({ cluster }) => {
    const node = cluster.nodes.find(({ volume }) => volume);
    if (!node?.volume) return { what: 'no node', end: nothing };
    const { volume } = node;
    const mebibytes = volume.fill();
    return {
      what: `node ${node.id}, by ${mebibytes} MiB`,
      end: async () => {
        volume.release();
        await node.mendDisk();
      },
    };
  },
};
