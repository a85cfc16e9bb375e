import type { Fault } from './fault.ts';

export const killController: Fault = {
  name: 'kill the controller',
  kind: 'process',
  lastsMs: [500, 4000],
  endsNodes: true,
  begin: async ({ controller }) => {
    const node = await controller();
    await node.kill();
    return { what: `node ${node.id}`, end: () => node.spawn() };
  },
};
