/**
 * The server layer assembles one node out of everything below: the quorum's log and the metadata image folded from
 * it, the controller and the group coordinator that are active where the quorum leads, the partition replicas, and one
 * listener for all. It holds no rules of its own. Begin here; `main.ts` adds what a process needs.
 */

import type { BrokerContext } from '../broker/context.ts';
import { brokerRoutes } from '../broker/handlers.ts';
import { Refusals } from '../broker/refusals.ts';
import { ControllerShell } from '../controller/shell.ts';
import { GroupCoordinator } from '../coordinator/coordinator.ts';
import { LogDirectory } from '../log/log-directory.ts';
import { OFFLINE_REPLICAS_SINCE } from '../metadata/records.ts';
import type { HttpAnswer, Logger, Platform, Sample } from '../platform/ports.ts';
import { timedDisk } from '../platform/timed-disk.ts';
import { AlterPartition } from '../protocol/messages/alter-partition.ts';
import { Fetch } from '../protocol/messages/fetch.ts';
import type { AnyApi, Api } from '../protocol/schema.ts';
import { uuidFrom } from '../protocol/uuid.ts';
import { tooOld } from '../raft/errors.ts';
import { RaftNode } from '../raft/node.ts';
import { RAFT_APIS } from '../raft/wire.ts';
import { ReplicaManager } from '../replication/replica-manager.ts';
import { route } from '../transport/rpc-route.ts';
import { RpcServer } from '../transport/rpc-server.ts';
import { assignmentDelta } from './assignments.ts';
import { brokerConfig } from './broker-config.ts';
import { BrokerLifecycle } from './broker-lifecycle.ts';
import type { NodeConfig } from './config.ts';
import { ControllerLink } from './controller-link.ts';
import { quorumResponse } from './describe-quorum.ts';
import { healthAnswer } from './health.ts';
import { type Identity, loadIdentity, saveIdentity } from './identity.ts';
import { Listeners } from './listeners.ts';
import { MetadataStore } from './metadata-store.ts';
import { SERVER_METRICS } from './metrics.ts';
import { sampleGroupLag } from './node-metrics.ts';
import { Peers } from './peers.ts';
import { removeStrayLogs } from './stray-logs.ts';
import { VoterAddresses } from './voter-addresses.ts';
import { VoterChanges } from './voter-changes.ts';

/** Longer than a follower's fetch may wait at its leader. */
const FETCH_TIMEOUT_MS = 5000;
const PEER_TIMEOUT_MS = 3000;
const UUID_BYTES = 16;

/** One node of a cluster. `start` and `stop` are called once each. */
export class OdradekNode {
  readonly config: NodeConfig;
  readonly store: MetadataStore;
  readonly replicas: ReplicaManager;
  readonly raft: RaftNode;
  readonly logs: LogDirectory;
  readonly controller: ControllerShell;
  readonly coordinator: GroupCoordinator;
  readonly #platform: Platform;
  readonly #logger: Logger;
  readonly #incarnationId: string;
  readonly #identity: Identity;
  readonly #peers: Peers;
  readonly #voterChanges: VoterChanges;
  readonly #voterAddresses: VoterAddresses;
  readonly #link: ControllerLink;
  readonly #lifecycle: BrokerLifecycle;
  readonly #server: RpcServer;
  readonly #listeners: Listeners;
  /** The last leader of the quorum that was not this node. */
  #otherLeader: { readonly id: number; readonly epoch: number; isDead: boolean } | undefined;

  /**
   * Recovers the logs of the data folder; the node does not serve before `start`. What the platform's logger writes has
   * the id of the node already. @throws IdentityError, DiskError
   */
  static async open(config: NodeConfig, platform: Platform): Promise<OdradekNode> {
    const { disk, clock, timers, random, crash, meter, logger } = platform;
    const identity = await loadIdentity(disk, random, config.dataDir, config.nodeId);
    const logs = await LogDirectory.open({
      ...{ disk: timedDisk(disk, meter, 'partitions'), clock, timers, logger, crash, meter },
      dir: `${config.dataDir}/log`,
      limits: {
        tailCacheBytesMax: config.limits.tailCacheBytesMax,
        retentionIntervalMs: config.limits.retentionCheckMs,
      },
    });
    return new OdradekNode(config, platform, identity, logs);
  }

  private constructor(config: NodeConfig, platform: Platform, identity: Identity, logs: LogDirectory) {
    this.config = config;
    this.logs = logs;
    this.store = new MetadataStore(config.catalogueVersion);
    this.#platform = platform;
    this.#logger = platform.logger;
    this.#identity = identity;
    this.#incarnationId = uuidFrom(platform.random.bytes(UUID_BYTES));
    this.#peers = this.#createPeers();
    this.raft = this.#createRaft();
    const image = () => this.store.image;
    this.#voterChanges = new VoterChanges(this.raft, image);
    this.#voterAddresses = new VoterAddresses({ raft: this.raft, image, logger: platform.logger });
    this.controller = this.#createController();
    this.#link = new ControllerLink({
      nodeId: config.nodeId,
      peers: this.#peers,
      controllerId: () => this.raft.leaderId,
      handle: (api, request) => this.#decide(api, request),
    });
    this.coordinator = new GroupCoordinator({
      ...this.#ports(),
      log: this.controller,
      limits: { offsetsRetentionMs: config.limits.offsetsRetentionMs },
    });
    this.#lifecycle = this.#createLifecycle();
    this.replicas = this.#createReplicas();
    this.#server = this.#createServer();
    this.#listeners = new Listeners(this.#server, config, platform);
    this.store.subscribe((before, after) => {
      this.controller.onApplied(after);
      void this.replicas.applyAssignments(assignmentDelta(before, after, config.nodeId));
      this.#onBrokerEpoch();
      if (before.brokers !== after.brokers) void this.#voterAddresses.update();
    });
    platform.meter?.onScrape((sample) => this.#sample(sample));
  }

  /** The port that the node listens on. */
  get port(): number {
    return this.#listeners.port;
  }

  /** The port for Kafka's own clients; undefined while there is none. */
  get kafkaPort(): number | undefined {
    return this.#listeners.kafkaPort;
  }

  get clusterId(): string | undefined {
    return this.raft.clusterId;
  }

  /** Of its data folder: a node whose disk was wiped has another one, and is another replica to the quorum. */
  get directoryId(): string {
    return this.#identity.directoryId;
  }

  /** What the node waits for before it can serve; undefined once it serves. */
  get waitingFor(): string | undefined {
    const blocked = this.raft.bootstrapBlocked();
    if (blocked !== undefined) return blocked;
    if (this.raft.leaderId === undefined) return 'the metadata quorum to elect a leader';
    if (this.#lifecycle.brokerEpoch < 0) return 'its registration with the controller';
    if (this.#lifecycle.fenced) return 'the controller to unfence it';
    return undefined;
  }

  /**
   * Opens the listeners and takes part; resolves once it listens. `joined` settles when the node knows its cluster, or
   * rejects with a RaftError where an operator has to act. @throws Error when the port can't be had
   */
  async start(): Promise<{ readonly joined: Promise<void> }> {
    await this.#listeners.open((path) => this.#onHttp(path));
    return { joined: this.#join() };
  }

  /** Moves leaders away, hands the quorum over, closes the listener, and leaves the logs marked as clean. */
  async stop(): Promise<void> {
    this.#logger.info({}, 'Stopping');
    await this.#lifecycle.shutDown(this.config.limits.controlledShutdownTimeoutMs);
    this.#lifecycle.stop();
    this.replicas.close();
    this.coordinator.onNotLeader();
    await this.raft.stop();
    await this.#server.close();
    this.#peers.close();
    await this.logs.close();
    this.#logger.info({}, 'Stopped');
  }

  async #join(): Promise<void> {
    await this.raft.start();
    const { clusterId } = this.raft;
    if (clusterId !== undefined && this.#identity.clusterId === undefined) {
      await saveIdentity(this.#platform.disk, this.config.dataDir, { ...this.#identity, clusterId });
    }
    this.#lifecycle.start();
  }

  #ports() {
    const { clock, timers, random, crash, meter } = this.#platform;
    return { clock, timers, random, crash, meter, logger: this.#logger };
  }

  #createPeers(): Peers {
    return new Peers({
      clientId: `node-${this.config.nodeId}`,
      catalogueVersion: this.config.catalogueVersion,
      configured: this.config.voters,
      voters: () => this.raft.voters,
      platform: this.#platform,
      responseBytesMax: this.config.limits.fetchBytesMax * 2,
      image: () => this.store.image,
      onDead: (id) => {
        if (this.#otherLeader?.id === id) this.#otherLeader.isDead = true;
        this.raft.peerUnreachable(id);
        this.controller.brokerUnreachable(id);
      },
    });
  }

  #createRaft(): RaftNode {
    const { nodeId, dataDir, voters, bootstrapAlone, replaceWipedVoters, catalogueVersion, limits } =
      this.config;
    const { disk, meter } = this.#platform;
    return new RaftNode({
      nodeId,
      directoryId: this.#identity.directoryId,
      clusterId: this.#identity.clusterId,
      voters,
      bootstrapAlone,
      catalogueVersion,
      platform: { ...this.#platform, disk: timedDisk(disk, meter, 'metadata') },
      dir: `${dataDir}/raft`,
      limits: {
        electionTimeoutMs: limits.electionTimeoutMs,
        electionTimeoutMsMax: limits.electionTimeoutMs * 2,
        checkQuorumMs: limits.electionTimeoutMs,
        heartbeatMs: limits.raftHeartbeatMs,
        snapshotEntries: limits.raftSnapshotEntries,
        wipedVoterTimeoutMs: replaceWipedVoters ? limits.wipedVoterTimeoutMs : Number.POSITIVE_INFINITY,
      },
      send: (toId, api, body) => this.#peers.call('control', toId, api, body, PEER_TIMEOUT_MS),
      endpoint: () => this.#listeners.endpoint,
      onAnnounced: (id, endpoint) => this.#peers.announced(id, endpoint),
      onVotersTold: (voters) => this.#peers.told(voters),
      onChange: () => this.#onQuorumChange(),
      stateMachine: {
        apply: (entries) => this.store.apply(entries),
        snapshot: () => this.store.snapshot(),
        restore: (index, bytes) => this.store.restore(index, bytes),
        catalogueLevel: () => this.store.catalogueLevel(),
        check: (entries) => this.store.check(entries),
        onLeader: (epoch) => {
          this.controller.onLeader(epoch, this.store.image, this.raft.lastLeader);
          this.coordinator.onLeader(this.#otherLeader?.isDead ? 'dead' : 'unknown');
          void this.#voterAddresses.update();
        },
        onNotLeader: () => {
          this.coordinator.onNotLeader();
          this.controller.onNotLeader();
        },
      },
    });
  }

  /** What the active controller decides: the voters are the quorum's own affair. */
  #decide<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Response> {
    if (!this.#voterChanges.has(api as AnyApi)) return this.controller.handle(api, request);
    return this.#voterChanges.handle(api as AnyApi, request) as Promise<Response>;
  }

  #createController(): ControllerShell {
    const { limits, topicDefaults } = this.config;
    return new ControllerShell({
      ...this.#ports(),
      propose: (payload) => this.raft.propose(payload),
      clusterId: () => this.raft.clusterId ?? '',
      voterIds: () => this.raft.voters.map(({ id }) => id),
      config: {
        brokerSessionTimeoutMs: limits.brokerSessionTimeoutMs,
        defaultPartitions: topicDefaults.partitions,
        defaultReplicationFactor: topicDefaults.replicationFactor,
        defaultMinInsyncReplicas: topicDefaults.minInsyncReplicas,
      },
    });
  }

  #createLifecycle(): BrokerLifecycle {
    const { nodeId, limits, rack, catalogueVersion } = this.config;
    return new BrokerLifecycle({
      ...this.#ports(),
      brokerId: nodeId,
      catalogueVersion,
      controller: this.#link,
      heartbeatMs: limits.brokerHeartbeatMs,
      // Without a controller nobody is fenced: the time of an election, and of a second one if the first is split, goes
      // on top of the session that the next controller grants.
      isolationTimeoutMs: limits.brokerSessionTimeoutMs + 2 * limits.electionTimeoutMs,
      metadataIndex: () => this.store.image.index,
      damagedReplicas: () => this.replicas.damaged(),
      onFenced: (fenced) => this.replicas.setFenced(fenced),
      onTooOld: () => this.#platform.crash(tooOld(catalogueVersion)),
      registration: () => {
        const clusterId = this.raft.clusterId;
        if (clusterId === undefined) return undefined;
        return {
          brokerId: nodeId,
          clusterId,
          incarnationId: this.#incarnationId,
          directoryId: this.#identity.directoryId,
          listeners: this.#listeners.advertised(),
          rack: rack ?? null,
          cleanShutdown: this.logs.cleanShutdown,
          catalogueVersion,
        };
      },
    });
  }

  #createReplicas(): ReplicaManager {
    const { nodeId, limits } = this.config;
    return new ReplicaManager({
      ...this.#ports(),
      nodeId,
      logs: this.logs,
      limits: { replicaLagTimeMaxMs: limits.replicaLagTimeMaxMs, fetchBytesMax: limits.fetchBytesMax },
      alterPartition: (request) => this.#link.send(AlterPartition, request),
      fetchFrom: (brokerId, request) => this.#peers.call('fetch', brokerId, Fetch, request, FETCH_TIMEOUT_MS),
      onCannotLead: () => this.#lifecycle.standDown(),
      canTellDamage: () => this.store.catalogueLevel() >= OFFLINE_REPLICAS_SINCE,
      onDamageChanged: () => this.#lifecycle.poke(),
    });
  }

  #createServer(): RpcServer {
    const { limits } = this.config;
    return new RpcServer({
      nodeId: this.config.nodeId,
      network: this.#platform.network,
      timers: this.#platform.timers,
      logger: this.#logger,
      meter: this.#platform.meter,
      catalogueVersion: this.config.catalogueVersion,
      limits: {
        requestBytesMax: limits.requestBytesMax,
        connectionsMax: limits.connectionsMax,
        inFlightRequestsMax: limits.inFlightRequestsMax,
      },
      routes: [...brokerRoutes(this.#brokerContext()), ...RAFT_APIS.map((api) => this.#raftRoute(api))],
    });
  }

  #raftRoute(api: AnyApi) {
    return route(api as Api<unknown, unknown>, (body) => this.raft.handle(api, body));
  }

  #brokerContext(): BrokerContext {
    const { nodeId } = this.config;
    return {
      ...this.#ports(),
      refusals: new Refusals(this.#ports()),
      nodeId,
      config: brokerConfig(this.config),
      replicas: this.replicas,
      coordinator: this.coordinator,
      controller: {
        controllerId: () => this.raft.leaderId,
        handle: (api, request) => this.#decide(api, request),
        send: (api, request, timeoutMs) => this.#link.send(api, request, timeoutMs),
      },
      image: () => this.store.image,
      clusterId: () => this.raft.clusterId,
      brokerEpoch: () => this.#lifecycle.brokerEpoch,
      describeQuorum: () => quorumResponse(this.raft.describe(), this.controller.catalogue()),
    };
  }

  /** Partitions take their roles once the metadata that registered this very process is applied. */
  #onBrokerEpoch(): void {
    const registered = this.store.image.brokers.get(this.config.nodeId);
    if (registered?.incarnationId !== this.#incarnationId) return;
    if (registered.epoch !== this.replicas.brokerEpoch) {
      const wasMember = this.#identity.clusterId !== undefined;
      if (wasMember) removeStrayLogs(this.store.image, this.logs, this.replicas, this.#logger);
      this.replicas.setBrokerEpoch(registered.epoch);
      void this.logs.lossTold();
    }
    if (this.#lifecycle.fenced) this.#lifecycle.poke();
  }

  #onQuorumChange(): void {
    const { leaderId, epoch } = this.raft;
    if (leaderId !== undefined && leaderId !== this.config.nodeId && epoch !== this.#otherLeader?.epoch) {
      this.#otherLeader = { id: leaderId, epoch, isDead: false };
    }
    this.#link.onQuorumChange();
    this.#lifecycle.poke();
  }

  #sample(sample: Sample): void {
    sample(SERVER_METRICS.ready, this.waitingFor === undefined ? 1 : 0);
    sample(SERVER_METRICS.controllerId, this.raft.leaderId ?? -1);
    sample(SERVER_METRICS.fenced, this.#lifecycle.fenced ? 1 : 0);
    sampleGroupLag(this.store.image, this.replicas, sample);
  }

  async #onHttp(path: string): Promise<HttpAnswer | undefined> {
    if (path === '/metrics') {
      const scraped = await this.#platform.meter?.scrape();
      return scraped && { status: 200, ...scraped };
    }
    const { waitingFor } = this;
    return healthAnswer(path, { nodeId: this.config.nodeId, waitingFor, image: this.store.image });
  }
}
