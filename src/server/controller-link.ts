import { KafkaError } from '../protocol/errors.ts';
import type { Api } from '../protocol/schema.ts';
import { RpcError } from '../transport/rpc-error.ts';
import type { Peers } from './peers.ts';

export interface ControllerLinkOptions {
  readonly nodeId: number;
  readonly peers: Peers;
  /** The active controller, as far as this node knows. */
  controllerId(): number | undefined;
  /** Handles a request on this node, which is the active controller. */
  handle<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Response>;
}

const CONTROLLER_REQUEST_TIMEOUT_MS = 3000;

/** A request that waits for the answer of a controller on another node. */
interface Waiting {
  readonly controllerId: number;
  giveUp(): void;
}

/** The way to the active controller, wherever it is: one attempt, for callers who know when to try again. */
export class ControllerLink {
  readonly #options: ControllerLinkOptions;
  readonly #waiting = new Set<Waiting>();

  constructor(options: ControllerLinkOptions) {
    this.#options = options;
  }

  /** @throws KafkaError NOT_CONTROLLER when no controller is known; RpcError when it is out of reach. */
  send<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    timeoutMs = CONTROLLER_REQUEST_TIMEOUT_MS,
  ): Promise<Response> {
    const { nodeId, peers } = this.#options;
    const controllerId = this.#options.controllerId();
    if (controllerId === undefined) {
      return Promise.reject(new KafkaError('NOT_CONTROLLER', 'no controller is elected at the moment'));
    }
    if (controllerId === nodeId) return this.#options.handle(api, request);
    return this.#untilReplaced(
      controllerId,
      `${api.name} to node ${controllerId}`,
      peers.call('control', controllerId, api, request, timeoutMs),
    );
  }

  /**
   * The quorum may have another leader now. Nobody waits on for the answer of the one before, which may hang: heartbeats
   * and ISR changes are due at the new one, and a broker that sat out the timeout here would be fenced there meanwhile.
   */
  onQuorumChange(): void {
    const controllerId = this.#options.controllerId();
    if (controllerId === undefined) return;
    for (const waiting of this.#waiting) if (waiting.controllerId !== controllerId) waiting.giveUp();
  }

  #untilReplaced<T>(controllerId: number, what: string, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        controllerId,
        giveUp: () => {
          this.#waiting.delete(waiting);
          reject(new RpcError('disconnected', `${what} was unanswered when another took its place`, true));
        },
      };
      this.#waiting.add(waiting);
      answer.finally(() => this.#waiting.delete(waiting)).then(resolve, reject);
    });
  }
}
