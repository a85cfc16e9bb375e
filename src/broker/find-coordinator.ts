import { ERROR_CODE } from '../protocol/errors.ts';
import type {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../protocol/messages/find-coordinator.ts';
import { type BrokerContext, type Handler, listenerOf, logRefusal, type RequestContext } from './context.ts';

const GROUP_KEY = 0;

type Coordinator = FindCoordinatorResponse['coordinators'][number];

/** Groups are coordinated by the active controller, all of them. */
export const findCoordinator: Handler<FindCoordinatorRequest, FindCoordinatorResponse> = (
  context,
  request,
  from,
) => {
  const coordinators = request.coordinatorKeys.map((key) => ({
    key,
    ...coordinatorOf(context, from, request.keyType),
  }));
  for (const { key, errorCode, errorMessage } of coordinators) {
    if (errorCode !== ERROR_CODE.NONE)
      logRefusal(context, from, { key, errorMessage }, 'No coordinator to name');
  }
  return { throttleTimeMs: 0, coordinators };
};

function coordinatorOf(
  context: BrokerContext,
  from: RequestContext,
  keyType: number,
): Omit<Coordinator, 'key'> {
  const nobody = { nodeId: -1, host: '', port: -1 };
  if (keyType !== GROUP_KEY) {
    const errorMessage = `key type ${keyType} is not served; groups are type ${GROUP_KEY}`;
    return { ...nobody, errorCode: ERROR_CODE.INVALID_REQUEST, errorMessage };
  }
  const controllerId = context.controller.controllerId();
  const broker = controllerId === undefined ? undefined : context.image().brokers.get(controllerId);
  const listener = broker && listenerOf(broker, from);
  if (!broker || !listener) {
    const errorMessage = 'no active controller is known; ask again shortly';
    return { ...nobody, errorCode: ERROR_CODE.COORDINATOR_NOT_AVAILABLE, errorMessage };
  }
  const { host, port } = listener;
  return { nodeId: broker.id, host, port, errorCode: ERROR_CODE.NONE, errorMessage: null };
}
