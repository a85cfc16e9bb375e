/** A client's link to one node of the fake cluster, on which requests and answers meet their fate. */

import type { NodeLink, SendOptions } from '../../../src/client/rpc.ts';
import { ERROR_CODE, type ErrorName, KafkaError } from '../../../src/protocol/errors.ts';
import type { ProduceRequest } from '../../../src/protocol/messages/produce.ts';
import type { Api } from '../../../src/protocol/schema.ts';
import type { FakeCluster } from './fake-cluster.ts';

/**
 * `ok`: carried out and answered. `lose-request`: the connection breaks before it arrives. `lose-reply`: carried out,
 * then the connection breaks. `late`: the connection breaks and the request is carried out some time later all the
 * same. `hang`: nothing at all. `refuse`: answered with `error`, not carried out.
 */
export interface Fault {
  readonly kind: 'ok' | 'lose-request' | 'lose-reply' | 'late' | 'hang' | 'refuse';
  readonly delayMs?: number;
  readonly error?: ErrorName;
}

const lost = () => new KafkaError('NETWORK_EXCEPTION', 'the fake connection broke');

export class FakeLink implements NodeLink {
  readonly nodeId: number;
  readonly #cluster: FakeCluster;
  readonly #client: string;
  readonly #pending = new Set<(error: Error) => void>();
  #arrivesAtMs = 0;

  constructor(cluster: FakeCluster, nodeId: number, client: string) {
    this.#cluster = cluster;
    this.#client = client;
    this.nodeId = nodeId;
  }

  send<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    options: SendOptions,
  ): Promise<Response> {
    const { world, down } = this.#cluster;
    const fault = this.#cluster.fault(api.name, this.nodeId, this.#client);
    this.#cluster.sent.push({ api: api.name, nodeId: this.nodeId, request, atMs: world.nowMs });
    return new Promise<Response>((resolve, reject) => {
      const settle = (act: () => void) => {
        if (this.#cluster.crashed.has(this.#client)) return;
        if (this.#pending.delete(fail)) act();
      };
      const fail = (error: Error) => settle(() => reject(error));
      this.#pending.add(fail);
      world.schedule(options.timeoutMs, 'request timeout', () =>
        fail(new KafkaError('REQUEST_TIMED_OUT', `${api.name} to node ${this.nodeId}`)),
      );
      if (fault.kind === 'hang' || this.#cluster.crashed.has(this.#client)) return;
      // First come, first served: a request starts after those before it on this link.
      this.#arrivesAtMs = Math.max(this.#arrivesAtMs, world.nowMs + 1 + Math.floor(world.random.float() * 4));
      world.schedule(this.#arrivesAtMs - world.nowMs, `request ${api.name}`, () => {
        if (down.has(this.nodeId)) return fail(new KafkaError('BROKER_NOT_AVAILABLE', 'refused'));
        if (fault.kind === 'late') {
          world.schedule(fault.delayMs ?? 100, 'late request', () => {
            if (!down.has(this.nodeId)) void this.#carryOut(api.name, request);
          });
          return this.breakAll();
        }
        if (!this.#pending.has(fail)) return;
        if (fault.kind === 'lose-request') return this.breakAll();
        const answer =
          fault.kind === 'refuse' && fault.error !== undefined
            ? Promise.resolve(refusalOf(api.name, request, ERROR_CODE[fault.error]))
            : this.#carryOut(api.name, request);
        answer.then((response) => {
          world.schedule(
            1 + (fault.delayMs ?? Math.floor(world.random.float() * 4)),
            `answer ${api.name}`,
            () => {
              if (fault.kind === 'lose-reply') this.breakAll();
              else settle(() => resolve(response as Response));
            },
          );
        }, fail);
      });
    });
  }

  close(): void {
    this.breakAll();
  }

  breakAll(): void {
    for (const fail of [...this.#pending]) fail(lost());
  }

  async #carryOut(name: string, request: unknown): Promise<unknown> {
    return this.#cluster.handle(this.nodeId, name, request);
  }
}

function refusalOf(name: string, request: unknown, errorCode: number): unknown {
  if (name !== 'Produce')
    return { throttleTimeMs: 0, errorCode, errorMessage: null, topics: [], groups: [], coordinators: [] };
  return {
    throttleTimeMs: 0,
    responses: (request as ProduceRequest).topicData.map(({ topicId, partitionData }) => ({
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({
        index,
        errorCode,
        baseOffset: -1,
        logAppendTimeMs: -1,
        logStartOffset: -1,
        errorMessage: null,
        currentLeader: { leaderId: -1, leaderEpoch: -1 },
      })),
    })),
  };
}
