/**
 * A cluster of real processes, started as `bin/cluster` starts them, in which every link between two nodes and between a
 * client and a node passes a proxy of ours, and every disk can be made to fail. Begin here; then `links.ts`, `proxy.ts`
 * and `stream.ts` (the network), `real-node.ts` and `shim.mjs` (the processes and their disks).
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { freeBasePort } from '../../../src/cli/cluster/free-ports.ts';
import { NodeProcess } from '../../../src/cli/cluster/node-process.ts';
import { KAFKA_PORT_OFFSET } from '../../../src/cli/cluster/ports.ts';
import { Odradek, type OdradekOptions } from '../../../src/client/node.ts';
import { LinkDialer } from './dialer.ts';
import { Links, nodeName } from './links.ts';
import { Namespaces } from './namespaces.ts';
import { RealNode } from './real-node.ts';
import { Volume } from './volume.ts';

const root = resolve(import.meta.dirname, '../../..');
/** The bundle of `make chaos` lies in dist/chaos/real/, as deep as this folder. */
const SHIM = join(root, 'chaos/real/nemesis/shim.mjs');
const LOCALHOST = '127.0.0.1';
const VOTERS_MAX = 3;

export interface RealClusterOptions {
  /** Of all that it writes. */
  readonly dir: string;
  /** Default 3; the first three vote. */
  readonly nodes?: number;
  /** `key=value`, for every node. */
  readonly settings?: readonly string[];
  /** The node whose data get a small volume of their own, where one can be mounted. */
  readonly volume?: { readonly nodeId: number; readonly sizeMiB: number };
  /** Each node in a network namespace of its own, where these can be had. */
  readonly inNamespaces?: boolean;
  /** Before any process is started, so that whoever interrupts the start can end what there is. */
  readonly onCreated?: (cluster: RealCluster) => void;
  /** What the proxies leave to chance; Math.random by default. */
  readonly random?: () => number;
}

export class RealCluster {
  readonly dir: string;
  readonly nodes: readonly RealNode[];
  readonly links: Links;
  /** Or why there are none. */
  readonly namespaces: Namespaces | string;

  private constructor(
    dir: string,
    nodes: readonly RealNode[],
    links: Links,
    namespaces: Namespaces | string,
  ) {
    this.dir = dir;
    this.nodes = nodes;
    this.links = links;
    this.namespaces = namespaces;
  }

  /** Starts the nodes and resolves once all of them serve. */
  static async start(o: RealClusterOptions): Promise<RealCluster> {
    const count = o.nodes ?? 3;
    const basePort = await freeBasePort(count);
    const ids = Array.from({ length: count }, (_, index) => index + 1);
    const namespaces = o.inNamespaces === true ? Namespaces.create(ids) : 'they were not asked for';
    const inside = typeof namespaces === 'string' ? undefined : namespaces;
    const targets = ids.map((id) => ({ id, host: inside?.hostOf(id) ?? LOCALHOST, port: basePort + id }));
    const voters = targets.slice(0, VOTERS_MAX).map(({ id, host, port }) => `${id}@${host}:${port}`);
    const settings = [
      `voters=${voters.join(',')}`,
      `topicDefaults.replicationFactor=${Math.min(count, 3)}`,
      `topicDefaults.minInsyncReplicas=${count >= 3 ? 2 : 1}`,
      ...(o.settings ?? []),
    ];
    mkdirSync(o.dir, { recursive: true });
    const nodes = targets.map(({ id, host, port }) => {
      const control = join(resolve(o.dir), `node-${id}`, 'control.json');
      const env = { NODE_OPTIONS: `--import=${SHIM}`, CHAOS_CONTROL: control };
      const place = {
        port,
        kafkaPort: port + KAFKA_PORT_OFFSET,
        host,
        env,
        within: inside?.within(id) ?? [],
      };
      const process = new NodeProcess(id, o.dir, place, settings);
      const volume = id === o.volume?.nodeId ? Volume.mount(process.dataDir, o.volume.sizeMiB) : undefined;
      return new RealNode(process, control, volume);
    });
    const placeOf = (from: string, to: number) => {
      const peer = ids.find((id) => nodeName(id) === from);
      const host = peer === undefined ? undefined : inside?.proxyHost(peer, to);
      return host === undefined ? { host: LOCALHOST } : { host, dialsFrom: host };
    };
    const links = new Links(targets, placeOf, o.random ?? Math.random);
    const cluster = new RealCluster(o.dir, nodes, links, namespaces);
    o.onCreated?.(cluster);
    try {
      for (const node of nodes) {
        await links.open(nodeName(node.id));
        node.redirect(links.addressesFor(nodeName(node.id)));
      }
      await Promise.all(nodes.map((node) => node.spawn()));
      await Promise.all(nodes.map((node) => node.untilReady()));
    } catch (error) {
      await cluster.end();
      throw error;
    }
    return cluster;
  }

  /** @throws Error when there is none */
  node(id: number): RealNode {
    const node = this.nodes.find((each) => each.id === id);
    if (!node) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** A client of its own machine: `name` is its end of its links. */
  async client(name: string, options: Partial<OdradekOptions> = {}): Promise<Odradek> {
    await this.links.open(name);
    const bootstrap = this.nodes.map(({ url }) => url);
    const dialer = new LinkDialer(this.links.addressesFor(name));
    return new Odradek({ bootstrap, clientId: name, ...options }, { dialer });
  }

  /** No fault lasts: links carry, disks work, every process goes on or is started again. Resolves once all serve. */
  async heal(): Promise<void> {
    this.links.heal();
    if (typeof this.namespaces !== 'string') this.namespaces.heal();
    for (const node of this.nodes) {
      node.setDisk([]);
      node.resume();
    }
    await Promise.all(this.nodes.map((node) => node.start()));
  }

  /** Kills every node and closes every proxy. The folder stays. */
  async end(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    this.links.close();
    for (const { volume } of this.nodes) volume?.unmount();
    if (typeof this.namespaces !== 'string') this.namespaces.remove();
  }
}
