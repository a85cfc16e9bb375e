/** Blocks of producer ids: each id is handed out once, by whichever broker. */

import type { MetadataImage } from '../metadata/image.ts';
import type {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
} from '../protocol/messages/allocate-producer-ids.ts';
import { brokerOfEpoch } from './brokers.ts';
import { type Decision, Draft } from './draft.ts';

export function allocateProducerIds(
  image: MetadataImage,
  request: AllocateProducerIdsRequest,
  producerIdLen: number,
): Decision<AllocateProducerIdsResponse> {
  brokerOfEpoch(image, request.brokerId, request.brokerEpoch);
  const draft = new Draft(image);
  const producerIdStart = image.nextProducerId;
  draft.push({ type: 'ProducerIds', nextProducerId: producerIdStart + producerIdLen });
  return { draft, reply: () => ({ throttleTimeMs: 0, errorCode: 0, producerIdStart, producerIdLen }) };
}
