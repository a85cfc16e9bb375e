import type { Counter, Histogram, Logger, Meter } from '../platform/ports.ts';
import { silentMeter } from '../platform/silent-meter.ts';
import { LOG_METRICS } from './metrics.ts';

/** What happens to the logs of one directory, counted, and told where it concerns them all. */
export class LogEvents {
  readonly truncations: Counter;
  readonly corruptions: Counter;
  readonly recoveries: Counter;
  readonly deletedSegments: Counter;
  readonly roundSeconds: Histogram;
  readonly meter: Meter;
  readonly #logger: Logger;
  readonly #full = new Set<string>();

  constructor(logger: Logger, meter: Meter = silentMeter) {
    this.#logger = logger;
    this.meter = meter;
    this.truncations = meter.counter(LOG_METRICS.truncations);
    this.corruptions = meter.counter(LOG_METRICS.corruptions);
    this.recoveries = meter.counter(LOG_METRICS.recoveries);
    this.deletedSegments = meter.counter(LOG_METRICS.deletedSegments);
    this.roundSeconds = meter.histogram(LOG_METRICS.roundSeconds);
  }

  /** Logs that a full disk keeps from taking appends. */
  get fullCount(): number {
    return this.#full.size;
  }

  /** A write found no room. One line when the disk is full and one when it no longer is, however often it is tried. */
  diskFull(name: string, reason: string): void {
    if (this.#full.size === 0) this.#logger.error({ name, reason }, 'The disk is full, appends are refused');
    this.#full.add(name);
  }

  /** The log took a write, or is gone. */
  diskHasRoom(name: string): void {
    if (this.#full.delete(name) && this.#full.size === 0) {
      this.#logger.info({ name }, 'The disk has room again, appends are taken');
    }
  }
}
