/**
 * The broker layer: one file per API that validates a request, calls the layer below and answers. Controller APIs,
 * which any broker passes on, share `controller-apis.ts`, and group APIs `group-apis.ts`. May import coordinator/,
 * controller/, metadata/, replication/ and protocol/; it knows no sockets. Begin with `handlers.ts`, the table of all.
 */

import type { GroupCoordinator } from '../coordinator/coordinator.ts';
import type { BrokerImage, MetadataImage } from '../metadata/image.ts';
import type { Clock, Logger, Timers } from '../platform/ports.ts';
import type { DescribeQuorumResponse } from '../protocol/messages/describe-quorum.ts';
import type { Api } from '../protocol/schema.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { Refusals } from './refusals.ts';

/** Everything that handlers work with; assembled by the server, faked by tests. */
export interface BrokerContext {
  readonly nodeId: number;
  readonly config: BrokerConfig;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly refusals: Refusals;
  readonly replicas: Replicas;
  /** Answers NOT_COORDINATOR by itself wherever this node is not the active controller. */
  readonly coordinator: GroupCoordinator;
  readonly controller: ControllerAccess;
  /** The committed metadata that this node has applied. */
  image(): MetadataImage;
  /** Undefined until the cluster is bootstrapped or joined. */
  clusterId(): string | undefined;
  /** The epoch of this broker's registration; -1 before. */
  brokerEpoch(): number;
  /** The quorum as this node sees it; meaningful on the leader. */
  describeQuorum(): DescribeQuorumResponse;
}

/** What the handlers use of the replica manager. */
type Replicas = Pick<
  ReplicaManager,
  'produce' | 'fetch' | 'listOffset' | 'offsetForLeaderEpoch' | 'describeLogs'
>;

/** The active controller, wherever it is. */
interface ControllerAccess {
  /** The node that this one takes for the active controller. */
  controllerId(): number | undefined;
  /** Decides here; rejects with NOT_CONTROLLER where this node is not the active controller. */
  handle<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Response>;
  /** One attempt at the active controller, here or elsewhere; rejects when no answer came within `timeoutMs`. */
  send<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response>;
}

export interface BrokerConfig {
  /** Create a topic that a client asks the metadata of, when the client allows it too. */
  readonly autoCreateTopics: boolean;
  /** The longest time that a request waits for the controller, whatever the client asks for. */
  readonly controllerTimeoutMsMax: number;
  readonly controllerRetryIntervalMs: number;
  /** The folder of the partitions' logs, for `DescribeLogDirs`. */
  readonly logDir: string;
  /** What `DescribeConfigs` shows of this node. */
  readonly shown: readonly ShownConfig[];
}

export interface ShownConfig {
  readonly name: string;
  readonly value: string;
  readonly type: 'boolean' | 'enum' | 'string' | 'int' | 'long' | 'list';
  readonly isDefault: boolean;
  readonly documentation: string | null;
}

export const BROKER_DEFAULTS: BrokerConfig = {
  autoCreateTopics: false,
  controllerTimeoutMsMax: 60_000,
  controllerRetryIntervalMs: 50,
  logDir: '',
  shown: [],
};

/** Who asks, as the transport tells it. */
export interface RequestContext {
  readonly clientId: string | null;
  /** In the numbering of the encoding by which the caller came. */
  readonly apiVersion: number;
  /** Announces how large the answer may get; returns how much of that the caller may be sent. */
  reserveAnswer(bytesMax: number): number;
  readonly caller: {
    readonly remote: string;
    /** The listener by which the caller came. */
    readonly listener: ListenerName;
    readonly closed: boolean;
    /** Calls `fn` when the connection ends (at once if it has). */
    onClose(fn: () => void): void;
    close(reason: string): void;
  };
}

/** The listeners of a broker, under the names that it registers them by. */
type ListenerName = 'ws' | 'kafka';

/** Carries out one request. `undefined` sends no response; a `KafkaError` thrown answers the request as a whole. */
export type Handler<Request, Response> = (
  context: BrokerContext,
  request: Request,
  from: RequestContext,
) => Promise<Response | undefined> | Response | undefined;

/** The client id under which nodes call each other: `node-3`. */
const PEER_CLIENT_ID = /^node-\d+$/;

/** What came from another node is never passed on a second time, or two nodes could pass it to and fro. */
export function isPeer(from: RequestContext): boolean {
  return from.caller.listener === 'ws' && from.clientId !== null && PEER_CLIENT_ID.test(from.clientId);
}

/** Where whoever came by a listener reaches a broker; undefined where the broker has no such listener. */
export function listenerOf(
  broker: BrokerImage,
  from: RequestContext,
): { readonly host: string; readonly port: number } | undefined {
  return broker.listeners.find(({ name }) => name === from.caller.listener);
}

/** KIP-951: whom to turn to instead, as far as this broker knows. */
export function currentLeaderOf(
  context: BrokerContext,
  topicId: string,
  partition: number,
): { leaderId: number; leaderEpoch: number } {
  const known = context.image().partition(topicId, partition);
  return { leaderId: known?.leader ?? -1, leaderEpoch: known?.leaderEpoch ?? -1 };
}

/** KIP-951: where those leaders are reached by whoever asked. Unknown ones (-1) are left out. */
export function leaderEndpoints(
  context: BrokerContext,
  leaderIds: ReadonlySet<number>,
  from: RequestContext,
): { nodeId: number; host: string; port: number; rack: string | null }[] {
  const image = context.image();
  return [...leaderIds].flatMap((nodeId) => {
    const broker = image.brokers.get(nodeId);
    const listener = broker && listenerOf(broker, from);
    return listener ? [{ nodeId, host: listener.host, port: listener.port, rack: broker.rack }] : [];
  });
}
