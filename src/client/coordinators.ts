/** Which node coordinates which group: asked of any node, remembered, and followed when it moves. */

import type { Timer } from '../platform/ports.ts';
import { ERROR_CODE, errorDefinition, errorFor, KafkaError } from '../protocol/errors.ts';
import { FindCoordinator } from '../protocol/messages/find-coordinator.ts';
import type { Api } from '../protocol/schema.ts';
import type { MetadataCache } from './metadata-cache.ts';
import type { ClientRuntime } from './rpc.ts';

/** What it takes of the cluster to find a coordinator and to talk to it. */
interface Nodes {
  readonly runtime: ClientRuntime;
  readonly limits: { readonly slowRequestMs: number };
  readonly metadata: MetadataCache;
  askAny<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Response>;
  send<Request, Response>(nodeId: number, api: Api<Request, Response>, request: Request): Promise<Response>;
}

const GROUP_KEY_TYPE = 0;

export class Coordinators {
  readonly #nodes: Nodes;
  readonly #nodeIds = new Map<string, number>();

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  /** Sends to a group's coordinator; `errorOf` finds the error code in a response, to follow a coordinator that moved. */
  async send<Request, Response>(
    groupId: string,
    api: Api<Request, Response>,
    request: Request,
    errorOf: (response: Response) => number,
  ): Promise<Response> {
    const nodeId = await this.#nodeIdOf(groupId);
    const watch = this.#watch(groupId, nodeId);
    try {
      const response = await Promise.race([this.#nodes.send(nodeId, api, request), watch.moved]);
      const { action } = errorDefinition(errorOf(response));
      if (action === 'refresh-metadata') this.#forget(groupId, nodeId);
      return response;
    } catch (error) {
      this.#forget(groupId, nodeId);
      throw error;
    } finally {
      watch.stop();
    }
  }

  async #nodeIdOf(groupId: string): Promise<number> {
    return this.#nodeIds.get(groupId) ?? (await this.#find(groupId));
  }

  async #find(groupId: string): Promise<number> {
    const { metadata } = this.#nodes;
    const response = await this.#nodes.askAny(FindCoordinator, {
      keyType: GROUP_KEY_TYPE,
      coordinatorKeys: [groupId],
    });
    const found = response.coordinators.find(({ key }) => key === groupId);
    if (found === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE');
    if (found.errorCode !== ERROR_CODE.NONE) throw errorFor(found.errorCode, found.errorMessage);
    const { nodeId, host, port } = found;
    if (metadata.broker(nodeId) === undefined) metadata.addBroker({ id: nodeId, host, port, rack: null });
    this.#nodeIds.set(groupId, nodeId);
    return nodeId;
  }

  /** While a coordinator is silent, asks the others now and then whether it still is the one. */
  #watch(groupId: string, nodeId: number): { moved: Promise<never>; stop: () => void } {
    const { timers } = this.#nodes.runtime;
    const { slowRequestMs } = this.#nodes.limits;
    let stopped = false;
    let timer: Timer | undefined;
    const moved = new Promise<never>((_, reject) => {
      const look = async () => {
        const found = await this.#find(groupId).catch(() => nodeId);
        if (stopped) return;
        if (found === nodeId) timer = timers.set(slowRequestMs, () => void look());
        else
          reject(
            new KafkaError('NETWORK_EXCEPTION', `group ${groupId} moved from node ${nodeId} to ${found}`),
          );
      };
      timer = timers.set(slowRequestMs, () => void look());
    });
    // A rejection that comes when nobody races any more is nobody's.
    moved.catch(() => {});
    const stop = () => {
      stopped = true;
      if (timer !== undefined) timers.clear(timer);
    };
    return { moved, stop };
  }

  #forget(groupId: string, nodeId: number): void {
    if (this.#nodeIds.get(groupId) === nodeId) this.#nodeIds.delete(groupId);
  }
}
