import { whenReaderGone } from './output.ts';

const EXIT_INTERRUPTED = 130;

/**
 * A signal that fires on the first Ctrl-C or SIGTERM, or when the reader of the standard output went away: time to
 * finish in good order. A second one ends the process at once.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  whenReaderGone(() => controller.abort());
  return controller.signal;
}
