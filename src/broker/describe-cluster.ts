import { ERROR_CODE, KafkaError } from '../protocol/errors.ts';
import type {
  DescribeClusterRequest,
  DescribeClusterResponse,
} from '../protocol/messages/describe-cluster.ts';
import type { Complete } from '../protocol/schema.ts';
import { type Handler, listenerOf } from './context.ts';

/** KIP-919. */
const BROKER_ENDPOINT = 1;
const CONTROLLER_ENDPOINT = 2;

/** The cluster as this node's metadata has it. */
export const describeCluster: Handler<Complete<DescribeClusterRequest>, DescribeClusterResponse> = (
  context,
  request,
  from,
) => {
  const { endpointType } = request;
  if (endpointType !== BROKER_ENDPOINT) {
    const code =
      endpointType === CONTROLLER_ENDPOINT ? 'MISMATCHED_ENDPOINT_TYPE' : 'UNSUPPORTED_ENDPOINT_TYPE';
    const message = `endpoints of type ${endpointType} are not here: ask for brokers, type ${BROKER_ENDPOINT}`;
    throw new KafkaError(code, message);
  }
  const brokers = context
    .image()
    .sortedBrokers()
    .filter((broker) => request.includeFencedBrokers || !broker.fenced)
    .flatMap((broker) => {
      const listener = listenerOf(broker, from);
      if (!listener) return [];
      const { host, port } = listener;
      return [{ brokerId: broker.id, host, port, rack: broker.rack, isFenced: broker.fenced }];
    });
  return {
    throttleTimeMs: 0,
    errorCode: ERROR_CODE.NONE,
    errorMessage: null,
    clusterId: context.clusterId() ?? '',
    controllerId: context.controller.controllerId() ?? -1,
    brokers,
  };
};
