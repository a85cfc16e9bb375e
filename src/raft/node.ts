import type { Platform } from '../platform/ports.ts';
import { silentMeter } from '../platform/silent-meter.ts';
import { CATALOGUE_VERSION, OLDEST_CATALOGUE_VERSION } from '../protocol/catalogue-version.ts';
import { ERROR_CODE, type ErrorName, KafkaError } from '../protocol/errors.ts';
import { QuorumHello } from '../protocol/messages/quorum-hello.ts';
import type { AnyApi, Complete, RequestOf, ResponseOf } from '../protocol/schema.ts';
import type { ConfiguredVoter } from './bootstrap.ts';
import { Bootstrap } from './bootstrap.ts';
import { RaftCore } from './core.ts';
import type { QuorumDescription } from './describe.ts';
import { describeQuorum } from './describe.ts';
import type { StateMachine } from './driver.ts';
import { RaftDriver } from './driver.ts';
import { RaftError, tooOld } from './errors.ts';
import { sampleQuorum } from './metrics.ts';
import { RefusedPeers } from './refused-peers.ts';
import type { RaftStorageLimits, Recovered } from './storage.ts';
import { DEFAULT_STORAGE_LIMITS, RaftStorage } from './storage.ts';
import type {
  Endpoint,
  RaftLimits,
  ReplicaKey,
  Request,
  Response,
  Role,
  Voter,
  VoterChange,
} from './types.ts';
import { DEFAULT_RAFT_LIMITS } from './types.ts';
import { VoterAdmin } from './voter-admin.ts';
import {
  requestFromWire,
  responseFromWire,
  responseToWire,
  type TargetedBody,
  toWire,
  votersTold,
  voterToWire,
} from './wire.ts';

export type { StateMachine } from './driver.ts';

export interface RaftNodeLimits extends RaftLimits, RaftStorageLimits {
  /** A snapshot is taken after this many applied entries, or this many bytes of them. */
  readonly snapshotEntries: number;
  readonly snapshotBytes: number;
  readonly proposalBytesMax: number;
  /** Proposals that may wait to be committed. */
  readonly proposalsPendingMax: number;
}

const DEFAULT_RAFT_NODE_LIMITS: RaftNodeLimits = {
  ...DEFAULT_RAFT_LIMITS,
  ...DEFAULT_STORAGE_LIMITS,
  snapshotEntries: 20_000,
  snapshotBytes: 16 * 1024 * 1024,
  proposalBytesMax: 4 * 1024 * 1024,
  proposalsPendingMax: 10_000,
};

export interface RaftNodeOptions {
  readonly nodeId: number;
  readonly directoryId: string;
  /** The configured voters: they found the cluster, and are asked for its leader. Who votes is what the log says. */
  readonly voters: readonly ConfiguredVoter[];
  readonly platform: Pick<Platform, 'clock' | 'timers' | 'random' | 'disk' | 'logger' | 'meter' | 'crash'>;
  /** A folder of its own, for the log and its snapshots. */
  readonly dir: string;
  readonly stateMachine: StateMachine;
  readonly limits?: Partial<RaftNodeLimits>;
  /** Create a cluster of this one voter, whatever the others say. */
  readonly bootstrapAlone?: boolean;
  /** The cluster that this node is known to belong to, if any: a blank folder, or another cluster, is then refused. */
  readonly clusterId?: string | undefined;
  /** Where the others reach this node, once that is known. */
  readonly endpoint?: () => Endpoint | undefined;
  /** Another node of this cluster, which hears no leader, says where it is. */
  readonly onAnnounced?: (id: number, endpoint: Endpoint) => void;
  /** Another node says who votes and where, by its log: it may name one as the leader that this node never heard of. */
  readonly onVotersTold?: (voters: readonly Voter[]) => void;
  /** What this node can read; the newest version of the catalogue by default. */
  readonly catalogueVersion?: number;
  /** Role, leader or epoch changed, or whether proposals are taken. */
  readonly onChange?: () => void;
  /** Calls an API of another node; rejects when there is no answer within a time of its own. */
  send(toId: number, api: AnyApi, body: unknown): Promise<unknown>;
}

/** One replica of the quorum's log: the face of this module. */
export class RaftNode {
  readonly #options: RaftNodeOptions;
  readonly #limits: RaftNodeLimits;
  readonly #self: ReplicaKey;
  #storage: RaftStorage | undefined;
  #bootstrap: Bootstrap | undefined;
  #clusterId: string | undefined;
  #core: RaftCore | undefined;
  #driver: RaftDriver | undefined;
  #voterAdmin: VoterAdmin | undefined;
  readonly #refused: RefusedPeers;
  #isStopping = false;
  #isJoining = false;
  #onSteppedDown: (() => void) | undefined;

  constructor(options: RaftNodeOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_RAFT_NODE_LIMITS, ...options.limits };
    this.#refused = new RefusedPeers(options.platform.logger);
    this.#self = { id: options.nodeId, directoryId: options.directoryId };
    options.platform.meter?.onScrape((sample) => sampleQuorum(this, this.#self.id, sample));
  }

  get role(): Role {
    return this.#core?.state.role ?? 'unattached';
  }
  get leaderId(): number | undefined {
    return this.#core?.state.leaderId;
  }

  /** The last leader but this node, and when it was heard last (monotonic). */
  get lastLeader(): { readonly id: number; readonly contactMs: number } | undefined {
    return this.#core?.state.lastLeader;
  }
  get epoch(): number {
    return this.#core?.state.epoch ?? 0;
  }
  get commitIndex(): number {
    return this.#core?.state.commitIndex ?? 0;
  }
  /** What the state machine has seen. */
  get appliedIndex(): number {
    return this.#driver?.appliedIndex ?? 0;
  }
  get clusterId(): string | undefined {
    return this.#clusterId;
  }
  /** Who votes, by this node's log; empty until it knows its cluster. */
  get voters(): readonly Voter[] {
    return this.#core?.state.voters ?? [];
  }
  /** Seats of voters whose disks were wiped, until their nodes take them with the new ones. */
  get vacantSeats(): readonly Voter[] {
    return this.#core?.state.log.voterSet.vacant ?? [];
  }
  /** Does this node vote? False until it knows its cluster. */
  get isVoter(): boolean {
    return this.#core?.state.isVoter ?? false;
  }
  get #catalogueVersion(): number {
    return this.#options.catalogueVersion ?? CATALOGUE_VERSION;
  }
  /** What all replicas can read, by what this one has applied. */
  get #catalogueLevel(): number {
    return this.#core?.state.catalogueLevel ?? OLDEST_CATALOGUE_VERSION;
  }
  /** `propose` is allowed. */
  get canPropose(): boolean {
    return !this.#isStopping && (this.#core?.canPropose ?? false);
  }

  /** While this node waits to be part of a cluster: for whom. */
  bootstrapBlocked(): string | undefined {
    return this.#bootstrap?.blockedOn;
  }

  /** The quorum as this node sees it; a leader knows how far each replica is. */
  describe(): QuorumDescription | undefined {
    return this.#core && describeQuorum(this.#core.state, this.#options.platform.clock.monotonicMs());
  }

  /**
   * Recovers the log and takes part. On a first start it resolves only once the node knows its cluster; `handle` works
   * all the while. Throws RaftError when an operator has to act.
   */
  async start(): Promise<void> {
    const { platform, dir, clusterId } = this.#options;
    const { disk, logger } = platform;
    const crash = (error: Error): never => platform.crash(error);
    const { storage, recovered } = await RaftStorage.open({ disk, dir, logger, limits: this.#limits, crash });
    this.#storage = storage;
    if (clusterId !== undefined && !recovered) {
      throw new RaftError(
        'RAFT_STATE_MISSING',
        `this node belongs to cluster ${clusterId}, but ${dir} is empty`,
      );
    }
    const joined = recovered ?? (await this.#join(storage));
    if (clusterId !== undefined && joined.header.clusterId !== clusterId) {
      throw new RaftError(
        'FOREIGN_CLUSTER',
        `${dir} holds cluster ${joined.header.clusterId}, not ${clusterId}`,
      );
    }
    this.#begin(storage, joined);
  }

  async #join(storage: RaftStorage): Promise<Recovered> {
    const { platform, voters, bootstrapAlone = false } = this.#options;
    const { timers, random, logger } = platform;
    this.#bootstrap = new Bootstrap({
      self: this.#self,
      voters,
      alone: bootstrapAlone,
      catalogueVersion: this.#catalogueVersion,
      timers,
      random,
      logger,
      send: (toId, api, body) => this.#options.send(toId, api, body),
    });
    if (this.#isStopping) this.#bootstrap.stop();
    const { clusterId, voters: members } = await this.#bootstrap.run();
    // From here on this node must not answer that it is blank: another might create a second cluster by that.
    this.#isJoining = true;
    const recovered = await storage.initialize(clusterId, members);
    this.#bootstrap = undefined;
    return recovered;
  }

  #begin(storage: RaftStorage, { header, data, hardState, entries }: Recovered): void {
    if (this.#isStopping) throw new RaftError('STOPPED', 'stopped before the start was through');
    const { platform, stateMachine } = this.#options;
    if (header.index > 0) stateMachine.restore(header.index, data);
    stateMachine.check(entries);
    const start = {
      self: this.#self,
      // A hello is for a node, whatever its disk.
      seeds: this.#options.voters.map(({ id }) => ({ id, directoryId: '' })),
      hardState,
      snapshot: header,
      entries,
      limits: this.#limits,
      catalogueLevel: stateMachine.catalogueLevel(),
      randomSeed: Math.floor(platform.random.float() * 2 ** 32),
    };
    const core = new RaftCore(start, platform.clock.monotonicMs());
    const { isVoter, log } = core.state;
    platform.logger.info(
      { isVoter, epoch: hardState.epoch, snapshotIndex: header.index, lastIndex: log.lastIndex },
      'Opened the quorum log',
    );
    if (!isVoter && core.state.voters.some(({ id }) => id === this.#self.id)) {
      platform.logger.warn(
        { directoryId: this.#self.directoryId, voters: core.state.voters },
        'This node voted with another disk, so it only observes now: the quorum lacks a voter',
      );
    }
    this.#clusterId = header.clusterId;
    this.#core = core;
    this.#voterAdmin = new VoterAdmin({ core, platform, input: (input) => this.#driver?.input(input) });
    this.#driver = new RaftDriver({
      core,
      storage,
      stateMachine,
      platform,
      meter: platform.meter ?? silentMeter,
      applied: header,
      snapshotEntries: this.#limits.snapshotEntries,
      snapshotBytes: this.#limits.snapshotBytes,
      onChange: () => this.#onChange(),
      request: (to, request) => this.#request(to, request),
    });
  }

  /** A leader hands over first. Writes under way are finished; afterwards nothing is answered any more. */
  async stop(): Promise<void> {
    this.#bootstrap?.stop();
    if (this.role === 'leader') {
      const steppedDown = new Promise<void>((resolve) => {
        this.#onSteppedDown = resolve;
      });
      this.#driver?.input({ kind: 'resign' });
      await steppedDown;
    }
    this.#isStopping = true;
    await (this.#driver?.stop() ?? this.#storage?.close());
  }

  /** Appends an entry; returns its index. The state machine sees it once it is committed, unless leadership is lost. */
  propose(payload: Uint8Array): number {
    const core = this.#core;
    if (!core || !this.canPropose) throw new KafkaError('NOT_CONTROLLER');
    if (payload.length === 0) throw new Error('an empty payload is reserved for the no-op of an epoch');
    if (payload.length > this.#limits.proposalBytesMax) {
      const limit = `proposalBytesMax is ${this.#limits.proposalBytesMax}`;
      throw new KafkaError(
        'RECORD_LIST_TOO_LARGE',
        `a metadata change takes ${payload.length} bytes; ${limit}`,
      );
    }
    if (core.state.log.lastIndex - core.state.commitIndex >= this.#limits.proposalsPendingMax) {
      throw new KafkaError('THROTTLING_QUOTA_EXCEEDED', 'too many metadata changes wait to be committed');
    }
    const index = core.state.log.lastIndex + 1;
    this.#driver?.input({ kind: 'propose', payload });
    return index;
  }

  /**
   * Adds, removes or moves a voter, on the leader; resolves once that is committed. @throws KafkaError with advice:
   * NOT_CONTROLLER, DUPLICATE_VOTER, VOTER_NOT_FOUND, INVALID_REQUEST, REQUEST_TIMED_OUT
   */
  async changeVoters(change: VoterChange, timeoutMs: number): Promise<void> {
    if (!this.#voterAdmin || this.#isStopping) throw new KafkaError('NOT_CONTROLLER');
    await this.#voterAdmin.change(change, timeoutMs);
  }

  /** A hint that the process of this node is gone (its port refuses): its leadership is not waited out. */
  peerUnreachable(id: number): void {
    this.#driver?.input({ kind: 'unreachable', id });
  }

  /** Answers an API of `RAFT_APIS`. @throws KafkaError when the request is not for this node, or comes too early */
  async handle(api: AnyApi, body: unknown): Promise<unknown> {
    if (api.key === QuorumHello.key) return this.#onHello(body as Complete<RequestOf<typeof QuorumHello>>);
    // Whoever asks for votes or sends entries knows a cluster: a blank node had better ask who.
    this.#bootstrap?.nudge();
    const refusal = this.#refuse(body as TargetedBody);
    if (refusal) throw new KafkaError(refusal);
    const response = await this.#ask(api, body);
    if (!response) throw new KafkaError('BROKER_NOT_AVAILABLE');
    return responseToWire(response);
  }

  async #ask(api: AnyApi, body: unknown): Promise<Response | undefined> {
    if (!this.#core) return undefined;
    const { from, request } = requestFromWire(api, body, this.#core.state.log.voterSet);
    return await this.#driver?.ask(from, request);
  }

  /** Is the request meant for another cluster, or for this node on the disk that it had before? */
  #refuse(target: TargetedBody): ErrorName | undefined {
    if (!this.#driver || this.#isStopping) return 'BROKER_NOT_AVAILABLE';
    if (target.clusterId !== this.clusterId) {
      this.#refused.foreign(this.clusterId, target.clusterId);
      return 'INCONSISTENT_CLUSTER_ID';
    }
    const isMeant = target.voterId === this.#self.id && target.voterDirectoryId === this.#self.directoryId;
    return isMeant ? undefined : 'INVALID_VOTER_KEY';
  }

  async #onHello(body: Complete<RequestOf<typeof QuorumHello>>): Promise<ResponseOf<typeof QuorumHello>> {
    const { nodeId, directoryId, clusterId, observe, lastIndex, host, port, catalogueVersion } = body;
    let error: ErrorName = 'NONE';
    const isReady = this.#driver !== undefined || (this.#storage !== undefined && !this.#isJoining);
    if (!isReady || this.#isStopping) error = 'BROKER_NOT_AVAILABLE';
    else if (clusterId !== null && this.clusterId !== undefined && clusterId !== this.clusterId) {
      this.#refused.foreign(this.clusterId, clusterId);
      error = 'INCONSISTENT_CLUSTER_ID';
    } else if (this.#catalogueLevel > catalogueVersion) {
      this.#refused.tooOld(nodeId, catalogueVersion, this.#catalogueLevel);
      error = 'UNSUPPORTED_VERSION';
    } else if (observe && clusterId !== null) {
      if (port > 0) this.#options.onAnnounced?.(nodeId, { host, port });
      await this.#driver?.ask({ id: nodeId, directoryId }, { type: 'hello', lastIndex });
    }
    return {
      errorCode: ERROR_CODE[error],
      nodeId: this.#self.id,
      directoryId: this.#self.directoryId,
      clusterId: this.clusterId ?? null,
      voters: this.voters.map(voterToWire),
      leaderId: this.leaderId ?? -1,
      epoch: this.epoch,
    };
  }

  async #request(to: ReplicaKey, request: Request): Promise<Response | undefined> {
    const { api, body } = toWire(request, to, {
      clusterId: this.clusterId ?? '',
      self: { ...this.#self, endpoint: this.#options.endpoint?.() },
      catalogueVersion: this.#catalogueVersion,
      catalogueLevel: this.#catalogueLevel,
    });
    const wire = await this.#options.send(to.id, api, body);
    const { errorCode } = wire as { readonly errorCode: number };
    if (errorCode === ERROR_CODE.UNSUPPORTED_VERSION)
      this.#options.platform.crash(tooOld(this.#catalogueVersion));
    if (errorCode === ERROR_CODE.INCONSISTENT_CLUSTER_ID)
      this.#refused.foreign(this.clusterId, `that of node ${to.id}`);
    if (errorCode !== ERROR_CODE.NONE) return undefined;
    if (request.type === 'hello') this.#options.onVotersTold?.(votersTold(wire));
    return responseFromWire(request, wire);
  }

  #onChange(): void {
    if (this.role !== 'leader') this.#onSteppedDown?.();
    this.#options.onChange?.();
  }
}
