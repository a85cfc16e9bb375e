import { codeOf, ERROR_CODE, errorFor, KafkaError } from '../protocol/errors.ts';
import { AllocateProducerIds } from '../protocol/messages/allocate-producer-ids.ts';
import type { InitProducerIdRequest, InitProducerIdResponse } from '../protocol/messages/init-producer-id.ts';
import type { BrokerContext, Handler } from './context.ts';
import { askController } from './forward.ts';

const PRODUCER_EPOCH_MAX = 32_767;
/** A producer waits for its id as long as for any request. */
const ALLOCATION_TIMEOUT_MS = 30_000;
const ATTEMPT_TIMEOUT_MS = 3_000;

/**
 * Hands out producer ids from a block of this broker's own, so that the controller is asked once per block. What is
 * left of a block is lost with the process: ids are never reused.
 */
class ProducerIdBlock {
  #next = 0;
  #end = 0;
  #refill: Promise<void> | undefined;

  async take(context: BrokerContext): Promise<number> {
    while (this.#next >= this.#end) {
      this.#refill ??= this.#allocate(context).finally(() => {
        this.#refill = undefined;
      });
      await this.#refill;
    }
    return this.#next++;
  }

  async #allocate(context: BrokerContext): Promise<void> {
    const request = { brokerId: context.nodeId, brokerEpoch: context.brokerEpoch() };
    // A block that was allocated and never arrived is a gap in the ids, no more.
    const options = { isRepeatable: true, attemptTimeoutMs: ATTEMPT_TIMEOUT_MS };
    const block = await askController(context, AllocateProducerIds, request, ALLOCATION_TIMEOUT_MS, options);
    if (block.errorCode !== ERROR_CODE.NONE) throw errorFor(block.errorCode);
    this.#next = block.producerIdStart;
    this.#end = block.producerIdStart + block.producerIdLen;
    context.logger.info({ start: this.#next, end: this.#end }, 'Producer ids allocated');
  }
}

/** Gives a new producer its id; a producer that lost its sequence gets its next epoch (KIP-360). */
export function initProducerId(): Handler<InitProducerIdRequest, InitProducerIdResponse> {
  const block = new ProducerIdBlock();
  return async (context, request) => {
    const { transactionalId, producerId, producerEpoch } = request;
    try {
      if (transactionalId !== null) throw new KafkaError('INVALID_REQUEST', 'transactions are not supported');
      if (producerId >= 0 && producerEpoch >= 0 && producerEpoch < PRODUCER_EPOCH_MAX)
        return answer(ERROR_CODE.NONE, producerId, producerEpoch + 1);
      return answer(ERROR_CODE.NONE, await block.take(context), 0);
    } catch (error) {
      // The broker registers again under a new epoch shortly: the producer has only to ask again.
      if (error instanceof KafkaError && error.code === 'STALE_BROKER_EPOCH')
        return answer(ERROR_CODE.COORDINATOR_NOT_AVAILABLE, -1, -1);
      return answer(codeOf(error), -1, -1);
    }
  };
}

function answer(errorCode: number, producerId: number, producerEpoch: number): InitProducerIdResponse {
  return { throttleTimeMs: 0, errorCode, producerId, producerEpoch };
}
