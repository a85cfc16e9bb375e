/**
 * The active controller: keeps the speculative image, proposes what the core decides as Raft entries and answers once
 * they are committed. It exists on every voter and is active on the Raft leader alone; elsewhere everything is refused
 * with NOT_CONTROLLER.
 */

import type { MetadataImage } from '../metadata/image.ts';
import { encodeRecords, type MetadataRecord } from '../metadata/records.ts';
import { asError } from '../platform/as-error.ts';
import type { Clock, Logger, Meter, Random, Timer, Timers } from '../platform/ports.ts';
import { KafkaError } from '../protocol/errors.ts';
import { CreateTopics, type CreateTopicsRequest } from '../protocol/messages/create-topics.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { Api } from '../protocol/schema.ts';
import { uuidFrom } from '../protocol/uuid.ts';
import { CONTROLLER_DEFAULTS, type ControllerConfig } from './config.ts';
import { ControllerEvents, sampleCluster } from './controller-events.ts';
import { ControllerCore } from './core.ts';
import { type Decision, Draft } from './draft.ts';
import { CONTROLLER_METRICS } from './metrics.ts';
import { PendingReplies, UndecidedChange } from './pending-replies.ts';
import type { Entropy } from './topics.ts';

const TOPIC_ID_BYTES = 16;

export interface ControllerShellOptions {
  /** Appends an entry to the Raft log and returns its index. Throws when this node does not lead. */
  readonly propose: (payload: Uint8Array) => number;
  /** The id of the cluster; known once there is a leader. */
  readonly clusterId: () => string;
  /** The voters of the quorum: the catalogue level waits for them, too. */
  readonly voterIds?: () => readonly number[];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter?: Meter | undefined;
  /** A broken invariant ends the process: a wrong decision must not become an entry. */
  readonly crash: (error: Error) => never;
  readonly config?: Partial<ControllerConfig>;
}

/** Who asks. */
export interface ControllerRequestContext {
  /** The broker at the other end, where it is known: it speaks for itself alone. */
  readonly brokerId?: number;
}

/** All that belongs to one leadership and ends with it. */
interface Leadership {
  readonly epoch: number;
  readonly core: ControllerCore;
  readonly pending: PendingReplies;
  /** The committed image with everything appended since. */
  speculative: MetadataImage;
  applied: MetadataImage;
  timer: Timer | undefined;
}

export class ControllerShell {
  readonly #options: ControllerShellOptions;
  readonly #config: ControllerConfig;
  readonly #events: ControllerEvents;
  #leadership: Leadership | undefined;

  constructor(options: ControllerShellOptions) {
    this.#options = options;
    this.#config = { ...CONTROLLER_DEFAULTS, ...options.config };
    this.#events = new ControllerEvents(options.logger, options.meter);
    options.meter?.onScrape((sample) => {
      const leadership = this.#leadership;
      sample(CONTROLLER_METRICS.active, leadership ? 1 : 0);
      if (leadership) sampleCluster(leadership.applied, leadership.pending.size, sample);
    });
  }

  /** Whether this node is the active controller. */
  get active(): boolean {
    return this.#leadership !== undefined;
  }

  /** This node leads in `epoch`, and `image` holds every entry before it; it heard the leader before last at `contactMs`. */
  onLeader(epoch: number, image: MetadataImage, before?: { id: number; contactMs: number }): void {
    this.onNotLeader();
    const { clock, clusterId, logger, voterIds = () => [] } = this.#options;
    const core = new ControllerCore({
      config: this.#config,
      clusterId: clusterId(),
      voterIds,
      image,
      nowMs: clock.monotonicMs(),
      before,
    });
    const pending = new PendingReplies();
    const leadership = { epoch, core, pending, speculative: image, applied: image, timer: undefined };
    this.#leadership = leadership;
    this.#setTimer(leadership);
    logger.info({ epoch, index: image.index }, 'Became the active controller');
  }

  /** This node does not lead (any more). What was speculative is dropped. */
  onNotLeader(): void {
    const lost = this.#leadership;
    if (!lost) return;
    this.#leadership = undefined;
    if (lost.timer) this.#options.timers.clear(lost.timer);
    this.#options.logger.info(
      { epoch: lost.epoch, pending: lost.pending.size },
      'Ceased to be the controller',
    );
    lost.pending.rejectAll();
  }

  /** Entries were committed and applied: `image` is the state after them. */
  onApplied(image: MetadataImage): void {
    const leadership = this.#leadership;
    if (!leadership) return;
    leadership.applied = image;
    // Everything appended is committed: one image instead of two equal ones.
    if (image.index >= leadership.speculative.index) leadership.speculative = image;
    leadership.pending.applied(image.index);
  }

  /** Handles one request to the controller. Rejects with a `KafkaError` where the whole request is refused. */
  handle<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    context: ControllerRequestContext = {},
  ): Promise<Response> {
    return this.#attempt((leadership) => {
      checkSpeaksForItself(request, context);
      const entropy = this.#entropyFor(api, request);
      const decision = leadership.core.decide(api, leadership.speculative, request, entropy);
      return this.#carryOut(leadership, decision);
    });
  }

  /**
   * Appends records that the group coordinator decided over `speculativeImage()`; resolves once they are applied. With no
   * records that is a linearizable read.
   */
  propose(records: readonly MetadataRecord[]): Promise<MetadataImage> {
    return this.#attempt((leadership) => {
      const draft = new Draft(leadership.speculative);
      draft.pushAll(records);
      return this.#carryOut(leadership, { draft, reply: () => leadership.applied });
    });
  }

  /** The image to decide over: everything appended, committed or not. Throws NOT_CONTROLLER when not active. */
  speculativeImage(): MetadataImage {
    if (!this.#leadership) throw notController();
    return this.#leadership.speculative;
  }

  /** A hint: the process of the broker is surely dead, its port refuses connections. A wrong one is harmless. */
  brokerUnreachable(brokerId: number): void {
    this.#act((leadership) => leadership.core.brokerUnreachable(leadership.speculative, brokerId));
  }

  /** What the cluster reads, as the active controller knows it; undefined elsewhere. */
  catalogue(): { readonly level: number; readonly heldBackBy: readonly number[] } | undefined {
    if (!this.#leadership) return undefined;
    const { core, applied } = this.#leadership;
    return { level: applied.catalogueLevel, heldBackBy: core.catalogue.heldBackBy(applied) };
  }

  #setTimer(leadership: Leadership): void {
    leadership.timer = this.#options.timers.set(this.#config.tickMs, () => {
      const nowMs = this.#options.clock.monotonicMs();
      this.#setTimer(leadership);
      leadership.pending.expire(nowMs);
      this.#act(({ core, speculative }) => core.tick(speculative, nowMs));
    });
  }

  /** Carries out what nobody waits for. */
  #act(decide: (leadership: Leadership) => Draft): void {
    const done = this.#attempt((leadership) => {
      const draft = decide(leadership);
      if (draft.records.length > 0) this.#append(leadership, draft);
      return Promise.resolve();
    });
    // Not leading (any more): the next controller judges for itself.
    done.catch((error: KafkaError) =>
      this.#options.logger.debug({ error: error.message }, 'Dropped a decision'),
    );
  }

  /** Runs a decision: expected failures reject, anything else is a broken invariant. */
  #attempt<T>(run: (leadership: Leadership) => Promise<T>): Promise<T> {
    if (!this.#leadership) return Promise.reject(notController());
    try {
      return run(this.#leadership);
    } catch (error) {
      if (error instanceof KafkaError || error instanceof ProtocolError) return Promise.reject(error);
      return this.#options.crash(asError(error));
    }
  }

  #carryOut<T>(leadership: Leadership, decision: Decision<T>): Promise<T> {
    const { draft, reply, immediate, onAppended } = decision;
    if (immediate) return Promise.resolve(reply(draft.base.index));
    if (leadership.pending.size >= this.#config.pendingRequestsMax)
      throw new KafkaError(
        'THROTTLING_QUOTA_EXCEEDED',
        `${leadership.pending.size} requests wait for the metadata quorum; try again later`,
      );
    // Also an answer that changes nothing waits for an entry, which changes nothing either: once that is committed, nobody
    // else had taken over by the time of the decision. A controller that was replaced and does not know it would refuse
    // from an image of the past (Raft 6.4).
    const index = this.#append(leadership, draft);
    onAppended?.();
    if (index <= leadership.applied.index) return Promise.resolve(reply(index));
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#options.clock.monotonicMs() + this.#config.requestTimeoutMs;
      const isChange = draft.records.length > 0;
      leadership.pending.add({ index, isChange, deadlineMs, run: () => resolve(reply(index)), reject });
    });
  }

  /** Proposes the records of a draft as one entry; returns its index. */
  #append(leadership: Leadership, draft: Draft): number {
    const index = this.#proposeEntry(encodeRecords(draft.records, draft.image.catalogueLevel));
    if (this.#leadership !== leadership) throw new UndecidedChange();
    if (index <= draft.base.index)
      throw new Error(`entry ${index} was proposed after ${draft.base.index} was: the log went back`);
    const foreseen = index === draft.image.index;
    leadership.speculative = foreseen ? draft.image : draft.base.at(index - 1).apply(draft.records, index);
    this.#events.onAppended(draft);
    return index;
  }

  #proposeEntry(payload: Uint8Array): number {
    try {
      return this.#options.propose(payload);
    } catch (cause) {
      if (cause instanceof KafkaError) throw cause;
      throw new KafkaError('NOT_CONTROLLER', undefined, { cause });
    }
  }

  #entropyFor(api: { readonly key: number }, request: unknown): Entropy {
    const { random } = this.#options;
    const ids = api.key === CreateTopics.key ? (request as CreateTopicsRequest).topics.length : 0;
    const topicIds = Array.from({ length: ids }, () => uuidFrom(random.bytes(TOPIC_ID_BYTES)));
    return { topicIds, start: random.float() };
  }
}

/** A broker that asks in another one's name is confused at best. */
function checkSpeaksForItself(request: unknown, { brokerId }: ControllerRequestContext): void {
  if (brokerId === undefined || request === null || typeof request !== 'object') return;
  if ('brokerId' in request && request.brokerId !== brokerId)
    throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED', `broker ${brokerId} speaks for ${request.brokerId}`);
}

function notController(): KafkaError {
  return new KafkaError('NOT_CONTROLLER');
}
