import { asError } from '../platform/as-error.ts';
import type { Clock, Logger, Timer, Timers } from '../platform/ports.ts';
import { errorFor, KafkaError } from '../protocol/errors.ts';
import type {
  BrokerHeartbeatRequest,
  BrokerHeartbeatResponse,
} from '../protocol/messages/broker-heartbeat.ts';
import { BrokerHeartbeat } from '../protocol/messages/broker-heartbeat.ts';
import type { BrokerRegistrationRequest } from '../protocol/messages/broker-registration.ts';
import { BrokerRegistration } from '../protocol/messages/broker-registration.ts';
import type { ControllerLink } from './controller-link.ts';

export interface BrokerLifecycleOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly brokerId: number;
  readonly controller: ControllerLink;
  readonly catalogueVersion: number;
  readonly heartbeatMs: number;
  /** A broker that hears no controller for so long has surely been fenced by one. */
  readonly isolationTimeoutMs: number;
  /** The registration to send; undefined until the node knows its cluster. */
  registration(): BrokerRegistrationRequest | undefined;
  /** The last metadata index applied here. */
  metadataIndex(): number;
  /** The replicas whose copy here is damaged. */
  damagedReplicas(): BrokerHeartbeatRequest['offlineReplicas'];
  /** The controller fenced this broker, or it has not heard from one for too long (or the opposite). */
  onFenced(fenced: boolean): void;
  /** The cluster has reached a newer level of the catalogue than this broker can read: it must not go on. */
  onTooOld(): void;
}

const RETRY_MS = 50;
/** A stopping broker that hears no controller for so long is probably stopping together with its whole cluster. */
const CONTROLLER_LOST_MS = 2000;

/**
 * The broker's standing with the controller: registers it, keeps its session alive, and asks for a controlled
 * shutdown (KIP-631). One request is in flight at a time; `poke` sends the next at once instead of waiting.
 */
export class BrokerLifecycle {
  readonly #options: BrokerLifecycleOptions;
  #brokerEpoch = -1;
  #fenced = true;
  #wantShutDown = false;
  #wantFence = false;
  #lastHeardMs: number;
  #timer: Timer | undefined;
  #inFlight = false;
  #pokedInFlight = false;
  #stopped = false;
  #mayStop: (() => void) | undefined;

  constructor(options: BrokerLifecycleOptions) {
    this.#options = options;
    this.#lastHeardMs = options.clock.monotonicMs();
  }

  get brokerEpoch(): number {
    return this.#brokerEpoch;
  }

  get fenced(): boolean {
    return this.#fenced;
  }

  start(): void {
    this.poke();
  }

  /** Something changed that a heartbeat would report or learn (metadata caught up, a new controller). */
  poke(): void {
    if (this.#stopped) return;
    if (this.#inFlight) this.#pokedInFlight = true;
    else void this.#beat();
  }

  /** Moves this broker's leaders away; resolves when the controller lets it go or `timeoutMs` have passed. */
  shutDown(timeoutMs: number): Promise<void> {
    const { timers, logger } = this.#options;
    if (this.#brokerEpoch < 0) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = timers.set(timeoutMs, () => {
        logger.warn({ timeoutMs }, 'Controlled shutdown timed out; stopping with leaders in place');
        resolve();
      });
      this.#mayStop = () => {
        timers.clear(limit);
        resolve();
      };
      this.#wantShutDown = true;
      this.poke();
    });
  }

  /**
   * Has this broker fenced and unfenced again, so that another one leads its partitions: its disk is full, or a replica is
   * damaged and the cluster, amid an upgrade, cannot read of that one alone.
   */
  standDown(): void {
    this.#wantFence = true;
    this.poke();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) this.#options.timers.clear(this.#timer);
  }

  async #beat(): Promise<void> {
    if (this.#timer) this.#options.timers.clear(this.#timer);
    this.#inFlight = true;
    let nextMs: number;
    try {
      nextMs = this.#brokerEpoch < 0 ? await this.#register() : await this.#heartbeat();
    } catch (error) {
      nextMs = this.#failed(error);
    }
    this.#inFlight = false;
    this.#checkIsolation();
    if (this.#stopped) return;
    if (this.#pokedInFlight) {
      this.#pokedInFlight = false;
      nextMs = 0;
    }
    this.#timer = this.#options.timers.set(nextMs, () => void this.#beat());
  }

  async #register(): Promise<number> {
    const request = this.#options.registration();
    if (!request) return RETRY_MS;
    const response = await this.#options.controller.send(BrokerRegistration, request);
    if (response.errorCode !== 0) throw errorFor(response.errorCode, response.errorMessage ?? undefined);
    this.#brokerEpoch = response.brokerEpoch;
    this.#heard();
    this.#options.logger.info({ brokerEpoch: response.brokerEpoch }, 'Registered with the controller');
    return 0;
  }

  async #heartbeat(): Promise<number> {
    const reported = this.#options.metadataIndex();
    const response = await this.#options.controller.send(BrokerHeartbeat, {
      brokerId: this.#options.brokerId,
      brokerEpoch: this.#brokerEpoch,
      currentMetadataOffset: reported,
      wantFence: this.#wantFence,
      wantShutDown: this.#wantShutDown,
      catalogueVersion: this.#options.catalogueVersion,
      offlineReplicas: this.#options.damagedReplicas(),
    });
    if (response.errorCode !== 0) throw errorFor(response.errorCode);
    this.#heard();
    return this.#obey(response, reported);
  }

  #obey(response: BrokerHeartbeatResponse, reported: number): number {
    this.#setFenced(response.isFenced);
    if (response.isFenced) this.#wantFence = false;
    if (response.shouldShutDown) this.#letGo();
    // Every step of starting and of stopping waits for the next heartbeat: do not let it wait long.
    if (this.#wantShutDown) return RETRY_MS;
    if (response.isFenced) return this.#options.metadataIndex() > reported ? 0 : RETRY_MS;
    return this.#options.heartbeatMs;
  }

  #failed(error: unknown): number {
    const code = error instanceof KafkaError ? error.code : 'UNKNOWN';
    const message = asError(error).message;
    // The controller knows another incarnation of this broker (or none): introduce this one again.
    if (code === 'STALE_BROKER_EPOCH' || code === 'BROKER_ID_NOT_REGISTERED') {
      this.#brokerEpoch = -1;
      this.#setFenced(true);
    }
    if (code === 'UNSUPPORTED_VERSION') this.#options.onTooOld();
    if (this.#silentMs() > CONTROLLER_LOST_MS) this.#letGo();
    this.#options.logger.debug({ code, message }, 'A request to the controller failed; retrying');
    return RETRY_MS;
  }

  #letGo(): void {
    this.#mayStop?.();
    this.#mayStop = undefined;
  }

  #silentMs(): number {
    return this.#options.clock.monotonicMs() - this.#lastHeardMs;
  }

  #heard(): void {
    this.#lastHeardMs = this.#options.clock.monotonicMs();
  }

  /** Whoever has not heard from a controller for long must assume that it is fenced (KAFKA-14296). */
  #checkIsolation(): void {
    if (this.#silentMs() > this.#options.isolationTimeoutMs) this.#setFenced(true);
  }

  #setFenced(fenced: boolean): void {
    if (fenced === this.#fenced) return;
    this.#fenced = fenced;
    const { logger } = this.#options;
    if (fenced) logger.warn({ brokerEpoch: this.#brokerEpoch }, 'Fenced: this broker serves no partition');
    else logger.info({ brokerEpoch: this.#brokerEpoch }, 'Unfenced: this broker serves its partitions');
    this.#options.onFenced(fenced);
  }
}
