import type { MetadataImage } from '../metadata/image.ts';
import { codeOf, ERROR_CODE, KafkaError } from '../protocol/errors.ts';
import { AddRaftVoter, type VoterChangeResponse } from '../protocol/messages/add-raft-voter.ts';
import { RemoveRaftVoter } from '../protocol/messages/remove-raft-voter.ts';
import type { AnyApi, RequestOf } from '../protocol/schema.ts';
import type { RaftNode } from '../raft/node.ts';
import type { VoterChange } from '../raft/types.ts';
import { addressOf, LISTENER } from './voter-addresses.ts';

/** Where the request does not say how long to wait. */
const TIMEOUT_MS = 10_000;
/** The answer has to be back before the asking node gives up. */
const ANSWER_MS = 250;

/** Changes of the quorum's voters, on its leader: the APIs of KIP-853 in the quorum's terms. */
export class VoterChanges {
  readonly #raft: RaftNode;
  readonly #image: () => MetadataImage;

  constructor(raft: RaftNode, image: () => MetadataImage) {
    this.#raft = raft;
    this.#image = image;
  }

  /** Does it handle this API? */
  has({ key }: AnyApi): boolean {
    return key === AddRaftVoter.key || key === RemoveRaftVoter.key;
  }

  /** @throws KafkaError NOT_CONTROLLER, where another node leads; other refusals are in the answer */
  async handle(api: AnyApi, request: unknown): Promise<VoterChangeResponse> {
    const { clusterId, timeoutMs } = request as { clusterId: string | null; timeoutMs?: number };
    try {
      if (clusterId !== null && clusterId !== this.#raft.clusterId) {
        throw new KafkaError('INCONSISTENT_CLUSTER_ID', `this is cluster ${this.#raft.clusterId}`);
      }
      const waitMs = timeoutMs !== undefined && timeoutMs > 0 ? timeoutMs : TIMEOUT_MS;
      await this.#raft.changeVoters(this.#changeOf(api, request), Math.max(0, waitMs - ANSWER_MS));
      return { throttleTimeMs: 0, errorCode: ERROR_CODE.NONE, errorMessage: null };
    } catch (error) {
      if (!(error instanceof KafkaError) || error.code === 'NOT_CONTROLLER') throw error;
      return { throttleTimeMs: 0, errorCode: codeOf(error), errorMessage: error.message };
    }
  }

  #changeOf(api: AnyApi, request: unknown): VoterChange {
    const { voterId: id, voterDirectoryId: directoryId } = request as RequestOf<typeof RemoveRaftVoter>;
    if (api.key === RemoveRaftVoter.key) return { kind: 'remove', voter: { id, directoryId } };
    const { listeners } = request as RequestOf<typeof AddRaftVoter>;
    const given = listeners.find(({ name }) => name === LISTENER);
    const endpoint = given ? { host: given.host, port: given.port } : addressOf(this.#image(), id);
    return { kind: 'add', voter: { id, directoryId, endpoint } };
  }
}
