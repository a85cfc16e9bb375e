import type { Fault } from './fault.ts';

/** SIGSTOP, then SIGCONT: it goes on as though no time had passed. */
export const pauseLeader: Fault = {
  name: 'pause a leader',
  kind: 'process',
  lastsMs: [1000, 6000],
  begin: async ({ leader }) => {
    const node = await leader();
    node.pause();
    return { what: `node ${node.id}`, end: async () => node.resume() };
  },
};
