/**
 * Planted bugs: each brings one row of HAZARDS back by changing one place of the product's text while it is bundled, so
 * that the production code carries no trace of it. `bundle.ts` applies them, `hunt.ts` looks how many seeds it takes
 * until a check trips. A check that no planted bug has ever tripped is not a check.
 */
import type { ScenarioName } from '../scenarios.ts';

export interface PlantedBug {
  readonly name: string;
  /** The row of HAZARDS, or where it was found. */
  readonly row: string;
  readonly file: string;
  /** Must occur exactly once. */
  readonly replace: string;
  readonly by: string;
  readonly scenario: ScenarioName;
  /** It must be caught within so many seeds. */
  readonly seedsMax: number;
  /** What a failure must say to be this bug's, where others are near; by default any that the same seed has not without it. */
  readonly trips?: string;
}
