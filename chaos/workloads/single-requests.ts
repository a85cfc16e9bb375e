import { KafkaError } from '../../src/client/index.ts';
import { RpcLink } from '../../src/client/rpc-link.ts';
import { ERROR_CODE, errorFor } from '../../src/protocol/errors.ts';
import type { Api } from '../../src/protocol/schema.ts';
import type { ClientMachine } from './client-machine.ts';

const CONNECT_TIMEOUT_MS = 1000;
const REQUEST_TIMEOUT_MS = 3000;
const RESPONSE_BYTES_MAX = 1_000_000;

/**
 * Sends requests one by one to single nodes, and never a second time: what is checked for linearizability must not be
 * done twice. The product's own clients try again.
 */
export class SingleRequests {
  readonly #client: ClientMachine;
  readonly #links = new Map<string, RpcLink>();

  constructor(client: ClientMachine) {
    this.#client = client;
  }

  send<Request, Response>(url: string, api: Api<Request, Response>, request: Request): Promise<Response> {
    return this.#link(url).send(api, request, { timeoutMs: REQUEST_TIMEOUT_MS });
  }

  #link(url: string): RpcLink {
    const known = this.#links.get(url);
    if (known) return known;
    const { network, clock, timers } = this.#client.machine.platform;
    const link = new RpcLink({
      ...{ dialer: network, clock, timers, url, clientId: this.#client.machine.name },
      ...{ connectTimeoutMs: CONNECT_TIMEOUT_MS, responseBytesMax: RESPONSE_BYTES_MAX },
      onDisconnected: () => {},
    });
    this.#links.set(url, link);
    return link;
  }
}

/** The error that an answer carries, if any. */
export function errorIn(answer: { readonly errorCode: number } | undefined): KafkaError | undefined {
  if (!answer) return new KafkaError('UNKNOWN_SERVER_ERROR', 'the answer lacks what was asked for');
  return answer.errorCode === ERROR_CODE.NONE ? undefined : errorFor(answer.errorCode);
}

/** What failed, as the error that the product's clients would see; anything else is thrown. */
export function kafkaErrorOf(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  throw error;
}
