import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { Odradek } from '../../src/client/node.ts';
import { nodeName } from './nemesis/links.ts';
import { RealCluster } from './nemesis/real-cluster.ts';

/** `kill` is SIGKILL, `stop` is SIGSTOP, `cut` takes a node's links to all others and to the client away, silently. */
export type Strike = 'kill' | 'stop' | 'cut';

/** A running cluster, a client of it, and what is done to its nodes. */
export interface Scene {
  readonly client: Odradek;
  strike(id: number): Promise<void>;
  /** Resolves once the node serves again, or soon will. */
  recover(id: number): Promise<void>;
  end(): Promise<void>;
}

export function openScene(strike: Strike, dir: string, nodes: number): Promise<Scene> {
  return strike === 'cut' ? openCuttable(dir, nodes) : openDirect(strike, dir, nodes);
}

/** Nodes and client talk to each other without anything in between. */
async function openDirect(strike: 'kill' | 'stop', dir: string, nodes: number): Promise<Scene> {
  const cluster = LocalCluster.create(dir, { nodes, basePort: await freeBasePort(nodes) });
  const end = async () => {
    await Promise.all(cluster.nodes.map((node) => node.end('kill')));
  };
  try {
    await cluster.up();
  } catch (error) {
    await end();
    throw error;
  }
  const signal = (id: number, name: 'SIGSTOP' | 'SIGCONT') => cluster.node(id).signal(name);
  return {
    client: new Odradek({ bootstrap: cluster.bootstrap }),
    strike: async (id) => {
      if (strike === 'kill') await cluster.node(id).end('kill');
      else signal(id, 'SIGSTOP');
    },
    recover: async (id) => {
      if (strike === 'kill') await cluster.start(id);
      else signal(id, 'SIGCONT');
    },
    end,
  };
}

/** Every link passes a proxy. */
async function openCuttable(dir: string, nodes: number): Promise<Scene> {
  const cluster = await RealCluster.start({ dir, nodes });
  return {
    client: await cluster.client('writer'),
    strike: async (id) => cluster.links.isolate(nodeName(id)),
    recover: async () => cluster.links.heal(),
    end: () => cluster.end(),
  };
}
