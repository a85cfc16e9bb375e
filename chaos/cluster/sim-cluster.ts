/**
 * Whole clusters on the simulated platform: the very nodes of `src/server/`, several in one process, in virtual time.
 * `sim-cluster.ts` starts, kills and restarts them; begin here.
 */

import { DiskError } from '../../src/platform/ports.ts';
import { RaftError } from '../../src/raft/errors.ts';
import type { NodeConfigInput } from '../../src/server/config.ts';
import { nodeConfig } from '../../src/server/config-check.ts';
import { OdradekNode } from '../../src/server/node.ts';
import type { SimNode } from '../sim/node.ts';
import type { SimWorld } from '../sim/world.ts';

const PORT = 7001;

/** One machine of the cluster and, while its process runs, the node in it. */
export interface ClusterNode {
  readonly id: number;
  readonly machine: SimNode;
  /** The running node; undefined while it is down or still opens its logs. */
  node: OdradekNode | undefined;
  /** What its config has otherwise than the others'; it counts from the next start on. */
  config: Partial<NodeConfigInput>;
}

export class SimCluster {
  readonly world: SimWorld;
  readonly nodes: readonly ClusterNode[];
  /** Called with each node between its recovery and its start: the place to attach observers. */
  readonly onOpened: ((member: ClusterNode, node: OdradekNode) => void)[] = [];
  /** Called when a node's disk was wiped. */
  readonly onWiped: ((member: ClusterNode) => void)[] = [];
  /** Called when a node refuses to start from what is on its disk. */
  readonly onRefused: ((member: ClusterNode) => void)[] = [];
  readonly #overrides: Partial<NodeConfigInput>;

  /** @param nodes How many; the first three are the voters. */
  constructor(world: SimWorld, nodes: number, overrides: Partial<NodeConfigInput> = {}) {
    this.world = world;
    this.#overrides = overrides;
    this.nodes = Array.from({ length: nodes }, (_, index) => ({
      id: index + 1,
      machine: world.node(`n${index + 1}`),
      node: undefined,
      config: {},
    }));
    for (const member of this.nodes) {
      member.machine.onCrash = () => {
        member.node = undefined;
      };
    }
  }

  get bootstrap(): string[] {
    return this.nodes.map(({ machine }) => `ws://${machine.name}:${PORT}`);
  }

  member(id: number): ClusterNode {
    const member = this.nodes.find((each) => each.id === id);
    if (!member) throw new Error(`there is no node ${id}`);
    return member;
  }

  /** Starts a node that is down; the start itself takes virtual time. */
  start(member: ClusterNode): void {
    const platform = member.machine.running ? member.machine.platform : member.machine.restart();
    const incarnation = member.machine.incarnation;
    const config = nodeConfig({
      nodeId: member.id,
      dataDir: 'data',
      host: member.machine.name,
      port: PORT,
      rack: `rack-${member.id}`,
      voters: this.nodes.slice(0, 3).map(({ id, machine }) => `${id}@${machine.name}:${PORT}`),
      ...this.#overrides,
      ...member.config,
    });
    const open = async () => {
      const logger = platform.logger.child({ nodeId: member.id });
      const node = await OdradekNode.open(config, { ...platform, logger });
      if (!incarnation.alive) return;
      member.node = node;
      for (const observe of this.onOpened) observe(member, node);
      await (await node.start()).joined;
    };
    open().catch((error: unknown) => {
      const wasStopped = error instanceof RaftError && error.code === 'STOPPED';
      if (!incarnation.alive || wasStopped) return;
      // A process that cannot read its disk, or may not, ends; whoever runs it starts it again.
      const isTooOld = error instanceof RaftError && error.code === 'CATALOGUE_TOO_OLD';
      if (isTooOld) member.machine.crashes.push(error);
      if (error instanceof RaftError && error.code === 'RAFT_LOG_CORRUPT' && member.machine.disk.isRotten) {
        // What an operator does: a new disk, and with it a new voter.
        for (const observe of this.onRefused) observe(member);
        this.wipe(member);
        this.start(member);
      } else if (isTooOld || error instanceof DiskError) this.kill(member, 'process');
      else throw error;
    });
  }

  startAll(): void {
    for (const member of this.nodes) this.start(member);
  }

  /** Ends the process at once: `power` also loses what was not synced. */
  kill(member: ClusterNode, how: 'process' | 'power'): void {
    if (how === 'power') member.machine.powerLoss();
    else member.machine.processCrash();
  }

  /** The machine loses its disk, and so its power; it comes back as a new replica of everything. */
  wipe(member: ClusterNode): void {
    this.kill(member, 'power');
    member.machine.disk.wipe();
    for (const observe of this.onWiped) observe(member);
  }

  /** Stops the node in order; its process ends when that is through. */
  stop(member: ClusterNode): void {
    const { node, machine } = member;
    const { incarnation } = machine;
    node?.stop().then(
      () => {
        if (incarnation.alive) this.kill(member, 'process');
      },
      (error: unknown) => {
        if (!incarnation.alive) return;
        // A process that cannot write its disk on its way out ends all the same, and not as a clean stop.
        if (error instanceof DiskError) this.kill(member, 'process');
        else throw error;
      },
    );
  }

  get isReady(): boolean {
    return this.nodes.every(({ node }) => node !== undefined && node.waitingFor === undefined);
  }

  /** The node that the quorum's newest epoch has as its leader, if it runs. */
  get controller(): ClusterNode | undefined {
    const leaders = this.nodes.filter(({ node }) => node?.raft.role === 'leader');
    return leaders.sort((a, b) => (b.node?.raft.epoch ?? 0) - (a.node?.raft.epoch ?? 0))[0];
  }
}
