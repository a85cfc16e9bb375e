import { KafkaError } from '../protocol/errors.ts';
import type { Api } from '../protocol/schema.ts';
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

/** The way to the active controller, wherever it is: one attempt, for callers who know when to try again. */
export class ControllerLink {
  readonly #options: ControllerLinkOptions;

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
    return peers.call('control', controllerId, api, request, timeoutMs);
  }
}
