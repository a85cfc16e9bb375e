import type { Platform } from '../platform/ports.ts';
import { type ErrorName, KafkaError } from '../protocol/errors.ts';
import type { RaftCore } from './core.ts';
import type { Input, VoterChange, VoterRefusal } from './types.ts';

export interface VoterAdminOptions {
  readonly core: RaftCore;
  readonly platform: Pick<Platform, 'clock' | 'timers' | 'logger'>;
  input(input: Input): void;
}

const POLL_MS = 20;
/** A new leader learns within this which observers there are, and which voters live. */
const REPLICAS_KNOWN_MS = 5000;

/** These pass by themselves: they are waited out. */
const PASSING = new Set<VoterRefusal>([
  'epochOpen',
  'changePending',
  'notObserving',
  'notCaughtUp',
  'majoritySilent',
]);
/** A new leader learns better soon; an old one knows. */
const SOON = new Set<VoterRefusal>(['notObserving', 'majoritySilent']);

/** Carries changes of the voters out for operators: waits until one is possible, and then until it is committed. */
export class VoterAdmin {
  readonly #options: VoterAdminOptions;

  constructor(options: VoterAdminOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the change is committed. @throws KafkaError with advice; REQUEST_TIMED_OUT where it may still be made
   */
  async change(change: VoterChange, timeoutMs: number): Promise<void> {
    const { core, platform, input } = this.#options;
    const { clock, logger } = platform;
    const startMs = clock.monotonicMs();
    for (;;) {
      const refusal = core.refuseVoterChange(change, clock.monotonicMs());
      if (refusal === undefined) break;
      const waitMs = SOON.has(refusal) ? Math.min(timeoutMs, REPLICAS_KNOWN_MS) : timeoutMs;
      if (!PASSING.has(refusal) || clock.monotonicMs() - startMs >= waitMs) {
        logger.info({ change: change.kind, voter: change.voter, refusal }, 'Refused a change of the voters');
        throw refused(refusal, change);
      }
      await this.#sleep();
    }
    input({ kind: 'changeVoters', change });
    const { epoch, log } = core.state;
    await this.#committed(log.voterSetIndex, epoch, startMs + timeoutMs);
  }

  async #committed(index: number, epoch: number, deadlineMs: number): Promise<void> {
    const { core, platform } = this.#options;
    for (;;) {
      const { state } = core;
      // What a snapshot replaced was committed by this leader, or it would not have got so far.
      const kept = state.log.epochAt(index) ?? epoch;
      if (state.commitIndex >= index && kept === epoch) return;
      if (state.role !== 'leader' || state.epoch !== epoch || platform.clock.monotonicMs() >= deadlineMs) {
        throw new KafkaError(
          'REQUEST_TIMED_OUT',
          'the change was appended, but not known to be committed in time; "odradek quorum describe" shows what became of it',
        );
      }
      await this.#sleep();
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => this.#options.platform.timers.set(POLL_MS, resolve));
  }
}

function refused(refusal: VoterRefusal, { voter }: VoterChange): KafkaError {
  const { id, directoryId } = voter;
  const answers: Record<VoterRefusal, readonly [ErrorName, string]> = {
    notLeader: ['NOT_CONTROLLER', 'this node does not lead the metadata quorum'],
    levelTooLow: [
      'UNSUPPORTED_VERSION',
      'not every node can read changes of the voters yet; upgrade those that "odradek cluster describe" names',
    ],
    handingOver: ['NOT_CONTROLLER', 'this node is handing the metadata quorum over'],
    epochOpen: [
      'REQUEST_TIMED_OUT',
      'the leader has not committed an entry of its epoch yet; see whether a majority of the voters is up',
    ],
    changePending: [
      'REQUEST_TIMED_OUT',
      'another change of the voters is not committed yet, and they change one at a time; see whether a majority is up',
    ],
    duplicateVoter: [
      'DUPLICATE_VOTER',
      `node ${id} votes already; where its disk was replaced, remove the voter with the old directory first`,
    ],
    unknownVoter: ['VOTER_NOT_FOUND', `node ${id} does not vote; "odradek quorum describe" shows who does`],
    otherDirectory: [
      'VOTER_NOT_FOUND',
      `node ${id} votes with another directory than ${directoryId}; "odradek quorum describe" shows which`,
    ],
    notObserving: [
      'VOTER_NOT_FOUND',
      `node ${id} does not follow this quorum with directory ${directoryId}; start it first, with the voters of this cluster`,
    ],
    notCaughtUp: [
      'REQUEST_TIMED_OUT',
      `node ${id} does not hold the whole metadata log yet, or is silent; try again once its lag is near 0`,
    ],
    lastVoter: ['INVALID_REQUEST', `node ${id} is the only voter; add another one first`],
    majoritySilent: [
      'INVALID_REQUEST',
      'a majority of the voters that this would leave does not answer, so nothing could be decided any more; bring voters back, or remove one that is gone',
    ],
    tooManyVoters: ['INVALID_REQUEST', 'there are as many voters as there may be; remove one first'],
  };
  const [code, message] = answers[refusal];
  return new KafkaError(code, message);
}
