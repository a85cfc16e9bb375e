/** What the logs of one directory share. */

import type { Clock, Disk, Logger } from '../platform/ports.ts';
import type { FilePool } from './file-pool.ts';
import type { IndexCache } from './index-cache.ts';
import type { LogLimits } from './log-config.ts';
import type { LogEvents } from './log-events.ts';
import type { TailBudget } from './tail-cache.ts';

export interface LogContext {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: LogEvents;
  readonly limits: LogLimits;
  readonly pool: FilePool;
  readonly budget: TailBudget;
  readonly indexCache: IndexCache;
  /** Writes the offsets of every log of the directory; shared by all who ask at the same time. */
  persistOffsets(): Promise<void>;
  /** Moves a partition's folder out of the way, durably, to be deleted later. */
  moveToTrash(folder: string): Promise<void>;
}
