import { DiskError, type Logger, type Platform } from './ports.ts';

/** What a shell reports for SIGABRT: the node ended itself, and not on request. */
const CRASH_EXIT_CODE = 134;

/**
 * Ends the process without a graceful stop: no clean marker is written, no leadership handed over. That is the
 * point: after a failed sync or a broken invariant, nothing that this process believes may reach its disk or peers.
 */
export function nodeCrash(logger: Logger): Platform['crash'] {
  return (error) => {
    try {
      // A log says which of its folders it was.
      const isDisk = [error, error.cause].some((each) => each instanceof DiskError);
      logger.error(
        { err: error },
        isDisk ? 'The node ends on an error of its disk' : 'The node crashes on a broken invariant',
      );
    } finally {
      process.exit(CRASH_EXIT_CODE);
    }
  };
}
