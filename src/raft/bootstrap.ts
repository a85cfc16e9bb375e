import type { Logger, Random, Timer, Timers } from '../platform/ports.ts';
import { ERROR_CODE } from '../protocol/errors.ts';
import { QuorumHello } from '../protocol/messages/quorum-hello.ts';
import type { RequestOf, ResponseOf } from '../protocol/schema.ts';
import { uuidFrom } from '../protocol/uuid.ts';
import { RaftError, tooOld } from './errors.ts';
import type { Endpoint, ReplicaKey, Voter } from './types.ts';
import { isSame } from './types.ts';
import { voterFromWire } from './wire.ts';

/** What a peer said of itself and of the cluster it knows; undefined: it did not answer (yet). */
export interface PeerAnswer {
  readonly directoryId: string;
  /** undefined: blank too. */
  readonly cluster: Membership | undefined;
}

/** What a node needs to take part: which cluster, and who votes in it. */
export interface Membership {
  readonly clusterId: string;
  readonly voters: readonly Voter[];
}

/** A voter of the configuration: which disk it has turns out when it answers. */
export interface ConfiguredVoter extends Partial<Endpoint> {
  readonly id: number;
}

export type BootstrapDecision =
  | { readonly kind: 'join'; readonly membership: Membership }
  /** Everybody is blank, and it falls to this node to begin: with these voters. */
  | { readonly kind: 'create'; readonly voters: readonly Voter[] }
  | { readonly kind: 'wait'; readonly reason: string };

/**
 * What a blank node does, given what it heard:
 *
 * | a peer knows a cluster | all configured voters answered | lowest configured voter | then |
 * | --- | --- | --- | --- |
 * | yes | any | any | join it: as a voter if it names this node on this very disk, else as an observer |
 * | no | no | any | wait for those who did not answer |
 * | no | yes | yes | create the cluster |
 * | no | yes | no | wait for the lowest to create it |
 *
 * So a node whose disk was wiped never votes as though it remembered: its directory id is a new one. And of two
 * nodes that start at the same time, one creates.
 */
export function decideBootstrap(
  self: ReplicaKey,
  voterIds: readonly number[],
  answers: ReadonlyMap<number, PeerAnswer>,
): BootstrapDecision {
  const clusters = [...answers.values()].flatMap((answer) => answer.cluster ?? []);
  const [membership] = clusters;
  if (membership) {
    const other = clusters.find((cluster) => cluster.clusterId !== membership.clusterId);
    if (!other) return { kind: 'join', membership };
    throw new RaftError(
      'FOREIGN_CLUSTER',
      `the configured voters belong to different clusters, ${membership.clusterId} and ${other.clusterId}`,
    );
  }
  const silent = voterIds.filter((id) => id !== self.id && !answers.has(id));
  if (silent.length > 0) {
    return {
      kind: 'wait',
      reason: `waiting for voter ${silent.join(', ')} to answer before the cluster is created`,
    };
  }
  const lowest = Math.min(...voterIds);
  if (lowest !== self.id)
    return { kind: 'wait', reason: `waiting for voter ${lowest} to create the cluster` };
  const voters = voterIds.map((id) => ({
    id,
    directoryId: answers.get(id)?.directoryId ?? self.directoryId,
  }));
  return { kind: 'create', voters };
}

export interface BootstrapOptions {
  readonly self: ReplicaKey;
  readonly voters: readonly ConfiguredVoter[];
  /** Create a cluster of this one voter without asking anybody. */
  readonly alone: boolean;
  /** What this node can read. */
  readonly catalogueVersion: number;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  send(toId: number, api: typeof QuorumHello, body: RequestOf<typeof QuorumHello>): Promise<unknown>;
}

const PROBE_DELAY_MS_MIN = 50;
const PROBE_DELAY_MS_MAX = 1000;

/** The first start of a blank node: asks every configured voter, again and again, until it knows what to do. */
export class Bootstrap {
  readonly #options: BootstrapOptions;
  readonly #answers = new Map<number, PeerAnswer>();
  #blockedOn: string | undefined;
  #stopped = false;
  #isTooOld = false;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;

  constructor(options: BootstrapOptions) {
    this.#options = options;
  }

  /** Why this node does not take part yet. */
  get blockedOn(): string | undefined {
    return this.#blockedOn;
  }

  /** Resolves with the cluster to take part in. Throws RaftError (FOREIGN_CLUSTER, STOPPED). */
  async run(): Promise<Membership> {
    const { self, voters: configured, alone, logger, random } = this.#options;
    const voterIds = configured.map(({ id }) => id);
    if (alone) return this.#create([self]);
    const { catalogueVersion } = this.#options;
    for (let delayMs = PROBE_DELAY_MS_MIN; ; delayMs = Math.min(2 * delayMs, PROBE_DELAY_MS_MAX)) {
      await Promise.all(voterIds.filter((id) => id !== self.id).map((id) => this.#probe(id)));
      if (this.#stopped) throw new RaftError('STOPPED', 'stopped before the node knew its cluster');
      if (this.#isTooOld) throw tooOld(catalogueVersion);
      const decision = decideBootstrap(self, voterIds, this.#answers);
      if (decision.kind === 'create') return this.#create(decision.voters);
      if (decision.kind === 'join') {
        const { clusterId, voters } = decision.membership;
        const isVoter = voters.some((voter) => isSame(voter, self));
        logger.info({ clusterId, isVoter }, 'Joining the cluster that a peer knows');
        return decision.membership;
      }
      if (decision.reason !== this.#blockedOn)
        logger.info({ reason: decision.reason }, 'Not part of a cluster yet');
      this.#blockedOn = decision.reason;
      await this.#sleep(delayMs * (0.5 + random.float() / 2));
    }
  }

  /** A peer that belongs to a cluster called: ask again at once. */
  nudge(): void {
    this.#wake?.();
  }

  stop(): void {
    this.#stopped = true;
    this.nudge();
  }

  /** The first voter set says where each voter is, for those who join when the configuration has changed. */
  #create(founders: readonly ReplicaKey[]): Membership {
    const voters = founders.map((founder): Voter => {
      const { host, port } = this.#options.voters.find(({ id }) => id === founder.id) ?? {};
      return host === undefined || port === undefined ? founder : { ...founder, endpoint: { host, port } };
    });
    const clusterId = uuidFrom(this.#options.random.bytes(16));
    this.#options.logger.info(
      { clusterId, voters },
      'Creating a new cluster: every configured voter is blank',
    );
    return { clusterId, voters };
  }

  /** An older answer of a peer that falls silent no longer counts: it may be another disk by now. */
  async #probe(id: number): Promise<void> {
    const { self, logger } = this.#options;
    this.#answers.delete(id);
    try {
      const wire = await this.#options.send(id, QuorumHello, {
        clusterId: null,
        nodeId: self.id,
        directoryId: self.directoryId,
        observe: false,
        lastIndex: 0,
        catalogueVersion: this.#options.catalogueVersion,
      });
      const { errorCode, nodeId, directoryId, clusterId, voters } = wire as ResponseOf<typeof QuorumHello>;
      if (errorCode === ERROR_CODE.UNSUPPORTED_VERSION) this.#isTooOld = true;
      if (errorCode !== 0) return;
      if (nodeId !== id) {
        logger.warn({ id, nodeId }, 'Another node answers at the address of a configured voter');
        return;
      }
      const cluster = clusterId === null ? undefined : { clusterId, voters: voters.map(voterFromWire) };
      this.#answers.set(id, { directoryId, cluster });
    } catch (error) {
      logger.debug({ id, error }, 'A configured voter does not answer');
    }
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        if (this.#timer) this.#options.timers.clear(this.#timer);
        this.#wake = undefined;
        resolve();
      };
      this.#timer = this.#options.timers.set(delayMs, this.#wake);
    });
  }
}
