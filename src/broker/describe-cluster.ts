import { ERROR_CODE } from '../protocol/errors.ts';
import type {
  DescribeClusterRequest,
  DescribeClusterResponse,
} from '../protocol/messages/describe-cluster.ts';
import { type Handler, listenerOf } from './context.ts';

/** The cluster as this node's metadata has it. */
export const describeCluster: Handler<DescribeClusterRequest, DescribeClusterResponse> = (
  context,
  request,
  from,
) => {
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
