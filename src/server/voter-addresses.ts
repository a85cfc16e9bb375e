import type { MetadataImage } from '../metadata/image.ts';
import { asError } from '../platform/as-error.ts';
import type { Logger } from '../platform/ports.ts';
import type { RaftNode } from '../raft/node.ts';
import type { Voter } from '../raft/types.ts';

/** The name of the listener that other nodes use. */
export const LISTENER = 'ws';
const TIMEOUT_MS = 10_000;

/** Where a node said that it is when it started last. */
export function addressOf(
  { brokers }: MetadataImage,
  id: number,
): { host: string; port: number } | undefined {
  const listener = brokers.get(id)?.listeners.find(({ name }) => name === LISTENER);
  return listener && { host: listener.host, port: listener.port };
}

export interface VoterAddressesOptions {
  readonly raft: Pick<RaftNode, 'canPropose' | 'voters' | 'changeVoters'>;
  readonly logger: Logger;
  image(): MetadataImage;
}

/**
 * On the quorum's leader: keeps the addresses in the voter set in step with those at which the voters registered. The
 * voter set is known before any metadata is, so voters that moved find each other again when all of them restart,
 * whatever their configs say (KIP-853 has the voters ask for that by a request, since its controllers register nowhere).
 */
export class VoterAddresses {
  readonly #options: VoterAddressesOptions;
  #isUpdating = false;

  constructor(options: VoterAddressesOptions) {
    this.#options = options;
  }

  /** Something changed: the metadata, or who leads. */
  async update(): Promise<void> {
    const { raft, logger } = this.#options;
    if (this.#isUpdating) return;
    this.#isUpdating = true;
    for (let voter = this.#moved(); voter && raft.canPropose; voter = this.#moved()) {
      try {
        await raft.changeVoters({ kind: 'update', voter }, TIMEOUT_MS);
      } catch (error) {
        // Another leader does it, or the next change of the metadata brings it up again.
        logger.debug({ voter, error: asError(error).message }, 'Could not write down where a voter is');
        break;
      }
    }
    this.#isUpdating = false;
  }

  /** A voter that is not where the voter set says. Another disk of its node is another replica: that one says nothing. */
  #moved(): Voter | undefined {
    const image = this.#options.image();
    for (const { id, directoryId, endpoint } of this.#options.raft.voters) {
      const at = addressOf(image, id);
      if (!at || image.brokers.get(id)?.directoryId !== directoryId) continue;
      if (endpoint?.host !== at.host || endpoint.port !== at.port) return { id, directoryId, endpoint: at };
    }
    return undefined;
  }
}
