import { ERROR_CODE } from '../protocol/errors.ts';
import type {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../protocol/messages/find-coordinator.ts';
import type { Complete } from '../protocol/schema.ts';
import { type BrokerContext, type Handler, listenerOf, type RequestContext } from './context.ts';

const GROUP_KEY = 0;
const TRANSACTION_KEY = 1;

type Coordinator = FindCoordinatorResponse['coordinators'][number];

/** Groups are coordinated by the active controller, all of them. */
export const findCoordinator: Handler<Complete<FindCoordinatorRequest>, FindCoordinatorResponse> = (
  context,
  { key, keyType, coordinatorKeys },
  from,
) => {
  const find = (each: string) => ({ key: each, ...coordinatorOf(context, from, keyType) });
  const coordinators = coordinatorKeys.map(find);
  const single = coordinatorKeys.length === 0 ? find(key) : undefined;
  return { throttleTimeMs: 0, ...single, coordinators };
};

function coordinatorOf(
  context: BrokerContext,
  from: RequestContext,
  keyType: number,
): Omit<Coordinator, 'key'> {
  const nobody = { nodeId: -1, host: '', port: -1 };
  if (keyType === TRANSACTION_KEY) {
    // Any other error makes librdkafka ask for ever.
    const errorCode = ERROR_CODE.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    return { ...nobody, errorCode, errorMessage: 'transactions are not supported' };
  }
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
