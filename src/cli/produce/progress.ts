import type { ProduceSummary } from './produce-lines.ts';

const INTERVAL_MS = 200;
const CLEAR_LINE = '\r\x1b[K';

/** One updating line on standard error while a person watches; nothing otherwise. Returns how to end it. */
export function showProgress(summary: () => ProduceSummary): () => void {
  if (!process.stderr.isTTY) return () => {};
  const timer = setInterval(() => {
    const { records, bytes, recordsPerSecond } = summary();
    const mebibytes = (bytes / 1024 / 1024).toFixed(1);
    process.stderr.write(`${CLEAR_LINE}${records} records, ${mebibytes} MiB, ${recordsPerSecond} records/s`);
  }, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    process.stderr.write(CLEAR_LINE);
  };
}
