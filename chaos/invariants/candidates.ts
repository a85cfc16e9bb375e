import type { MetadataImage } from '../../src/metadata/image.ts';
import type { SimCluster } from '../cluster/sim-cluster.ts';
import type { SimLogLine } from '../sim/world.ts';
import type { Invariant } from './invariant.ts';
import type { RunningTime } from './running-time.ts';
import { InvariantViolation } from './violation.ts';

/** Answers to pre-votes are not older than this. */
const PRE_VOTE_MS = 4000;

/**
 * Nobody disturbs the quorum by an election that cannot be won (pre-vote, thesis 9.6): whoever stands was told by a majority
 * that its log is up to date, so it has what had been committed by then.
 */
export class Candidates implements Invariant {
  readonly #cluster: SimCluster;
  readonly #time: RunningTime;
  /** Indexes, and when each was known to be committed. */
  readonly #commits: { readonly index: number; readonly atMs: number }[] = [];
  #longCommitted = 0;

  /** @param guard Runs a check inside the product's own calls, where a throw would not reach the test. */
  constructor(cluster: SimCluster, time: RunningTime, guard: (check: () => void) => void) {
    this.#cluster = cluster;
    this.#time = time;
    cluster.world.onLogLine.push((line) => {
      if (line.message === 'Standing for election') guard(() => this.#stands(line));
    });
  }

  onCommitted(_: MetadataImage, { index }: MetadataImage): void {
    this.#commits.push({ index, atMs: this.#cluster.world.nowMs });
  }

  #stands({ node, fields, atMs }: SimLogLine): void {
    const { lastIndex, transfer, epoch } = fields as { lastIndex: number; transfer: boolean; epoch: number };
    const member = this.#cluster.nodes.find(({ machine }) => machine.name === node);
    // What it was told may have waited for as long as it stood still.
    if (transfer || !member || this.#time.steadyMs(member) < PRE_VOTE_MS) return;
    while ((this.#commits[0]?.atMs ?? atMs) < atMs - PRE_VOTE_MS)
      this.#longCommitted = this.#commits.shift()?.index ?? this.#longCommitted;
    if (lastIndex < this.#longCommitted)
      throw new InvariantViolation(
        'stands for an election that cannot be won',
        `${node}, epoch ${epoch}: ${lastIndex} entries; ${PRE_VOTE_MS} ms ago ${this.#longCommitted} were committed`,
      );
  }
}
