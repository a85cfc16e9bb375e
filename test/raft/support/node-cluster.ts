import { SimWorld } from '../../../chaos/sim/world.ts';
import type { Disk } from '../../../src/platform/ports.ts';
import { CATALOGUE_VERSION } from '../../../src/protocol/catalogue-version.ts';
import type { AnyApi } from '../../../src/protocol/schema.ts';
import { uuidFrom } from '../../../src/protocol/uuid.ts';
import { RaftNode, type RaftNodeLimits, type StateMachine } from '../../../src/raft/node.ts';

/** A state machine that keeps what it applied, as text. */
class TextLog implements StateMachine {
  lines: string[] = [];
  index = 0;
  leading: number | undefined;
  onLeader(epoch: number): void {
    this.leading = epoch;
  }
  catalogueLevel(): number {
    return CATALOGUE_VERSION;
  }
  check(): void {}
  onNotLeader(): void {
    this.leading = undefined;
  }
  apply(entries: Parameters<StateMachine['apply']>[0]): void {
    for (const { index, payload } of entries) {
      if (index !== this.index + 1) throw new Error(`applied ${index} after ${this.index}`);
      this.index = index;
      if (payload.length > 0) this.lines.push(new TextDecoder().decode(payload));
    }
  }
  snapshot(): Uint8Array[] {
    return [new TextEncoder().encode(JSON.stringify(this.lines))];
  }
  restore(index: number, bytes: Uint8Array): void {
    this.index = index;
    this.lines = JSON.parse(new TextDecoder().decode(bytes));
  }
}

interface Running {
  readonly raft: RaftNode;
  readonly log: TextLog;
  readonly started: Promise<void>;
  startError: unknown;
}

/** Real `RaftNode`s on simulated machines; their requests go straight from node to node, after a delay. */
export class NodeCluster {
  readonly world: SimWorld;
  readonly running = new Map<number, Running>();
  readonly voters: readonly number[];
  /** Directed pairs `from>to` that lose everything. */
  readonly cuts = new Set<string>();
  /** Tell the others at once when a process is gone, as a refused connection does. */
  hints = true;
  readonly #directoryIds = new Map<number, string>();
  readonly #limits: Partial<RaftNodeLimits>;

  constructor(options: { seed: number; voters: number; limits?: Partial<RaftNodeLimits> }) {
    this.world = new SimWorld({ seed: options.seed });
    this.voters = Array.from({ length: options.voters }, (_, at) => at + 1);
    this.#limits = options.limits ?? {};
  }

  machine(id: number) {
    return this.world.node(`n${id}`);
  }

  /** Starts a node; `options` override what its configuration would say. */
  start(id: number, options: { clusterId?: string; bootstrapAlone?: boolean } = {}): Running {
    const machine = this.machine(id);
    const platform = machine.running ? machine.platform : machine.restart();
    const directoryId = this.#directoryIds.get(id) ?? uuidFrom(platform.random.bytes(16));
    this.#directoryIds.set(id, directoryId);
    const log = new TextLog();
    const raft = new RaftNode({
      nodeId: id,
      directoryId,
      voters: this.voters.map((voter) => ({ id: voter })),
      platform,
      dir: `data/${id}/raft`,
      stateMachine: log,
      limits: this.#limits,
      send: (toId, api, body) => this.#send(id, toId, api, body),
      ...options,
    });
    const running: Running = {
      raft,
      log,
      started: this.#mount(platform.disk, `data/${id}`).then(() => raft.start()),
      startError: undefined,
    };
    running.started.catch((error: unknown) => {
      running.startError = error;
    });
    this.running.set(id, running);
    return running;
  }

  startAll(): void {
    for (const id of this.voters) if (!this.running.has(id)) this.start(id);
  }

  kill(id: number, kind: 'process' | 'power' = 'process'): void {
    if (!this.running.delete(id)) return;
    if (kind === 'process') this.machine(id).processCrash();
    else this.machine(id).powerLoss();
    if (!this.hints || kind === 'power') return;
    this.world.schedule(1, `n${id} refuses connections`, () => {
      for (const { raft } of this.running.values()) raft.peerUnreachable(id);
    });
  }

  wipe(id: number): void {
    this.kill(id, 'power');
    this.machine(id).disk.wipe();
    this.#directoryIds.delete(id);
  }

  get(id: number): Running {
    const running = this.running.get(id);
    if (!running) throw new Error(`node ${id} is down`);
    return running;
  }

  leader(): Running | undefined {
    const leading = [...this.running.values()].filter(({ raft }) => raft.canPropose);
    return leading.sort((a, b) => b.raft.epoch - a.raft.epoch)[0];
  }

  async untilLeader(timeoutMs = 10_000): Promise<Running> {
    await this.world.runUntil(() => this.leader() !== undefined, timeoutMs);
    const leader = this.leader();
    if (!leader) throw new Error(`no leader: ${this.lastLog()}`);
    return leader;
  }

  lastLog(): string {
    const lines = this.world.log.slice(-40);
    return lines
      .map((line) => `${line.atMs.toFixed(1)} ${line.node} ${line.message} ${JSON.stringify(line.fields)}`)
      .join('\n');
  }

  /** The data folder itself is the operator's: it is there before a node starts. */
  async #mount(disk: Disk, path: string): Promise<void> {
    await disk.mkdir(path);
    await disk.syncDir('');
    await disk.syncDir('data');
  }

  #send(from: number, to: number, api: AnyApi, body: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const target = this.running.get(to);
      if (!target) {
        this.world.schedule(1, `refuse ${from}>${to}`, () => reject(new Error('refused')));
        return;
      }
      if (this.cuts.has(`${from}>${to}`)) {
        this.world.schedule(1000, `timeout ${from}>${to}`, () => reject(new Error('timeout')));
        return;
      }
      const delay = () => 0.2 + this.world.random.float() * 2;
      this.world.schedule(delay(), `${api.name} ${from}>${to}`, () => {
        if (this.running.get(to) !== target) return reject(new Error('reset'));
        target.raft.handle(api, body).then(
          (response) => {
            if (this.cuts.has(`${to}>${from}`)) {
              this.world.schedule(1000, `timeout ${from}<${to}`, () => reject(new Error('timeout')));
              return;
            }
            this.world.schedule(delay(), `${api.name} ${from}<${to}`, () => resolve(response));
          },
          (error: unknown) => reject(error),
        );
      });
    });
  }
}
