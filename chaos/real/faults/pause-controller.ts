import type { Fault } from './fault.ts';

/** SIGSTOP, then SIGCONT: it goes on as though it still led the quorum. */
export const pauseController: Fault = {
  name: 'pause the controller',
  kind: 'process',
  lastsMs: [1000, 6000],
  begin: async ({ controller }) => {
    const node = await controller();
    node.pause();
    return { what: `node ${node.id}`, end: async () => node.resume() };
  },
};
