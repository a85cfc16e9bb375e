import { KafkaError } from '../protocol/errors.ts';
import {
  DescribeQuorum,
  type DescribeQuorumRequest,
  type DescribeQuorumResponse,
} from '../protocol/messages/describe-quorum.ts';
import { type Handler, isPeer } from './context.ts';

/** How long another node may take to describe the quorum; an operator waits for it. */
const TIMEOUT_MS = 5_000;

/** The leader of the quorum knows how far each replica got, so it answers; others ask it. */
export const describeQuorum: Handler<DescribeQuorumRequest, DescribeQuorumResponse> = async (
  context,
  request,
  from,
) => {
  const { controller } = context;
  const controllerId = controller.controllerId();
  if (controllerId === context.nodeId) return context.describeQuorum();
  if (controllerId === undefined || isPeer(from)) throw new KafkaError('NOT_CONTROLLER');
  return await controller.send(DescribeQuorum, request, TIMEOUT_MS);
};
