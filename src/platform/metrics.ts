import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Meter, Metric } from './ports.ts';

/** Of the process. Names that Node.js dashboards know are used where there are such. */
export const PROCESS_METRICS = {
  startTime: {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the process started, in seconds since the Unix epoch',
    worry: 'it changes and nobody restarted the node',
  },
  cpu: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time used, user and system, all threads',
    worry: 'its rate nears 1: the event loop is one thread',
  },
  residentMemory: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory of the process',
    worry: 'it grows for hours under steady load',
  },
  heapUsed: {
    name: 'nodejs_heap_size_used_bytes',
    type: 'gauge',
    help: "JavaScript objects on V8's heap",
    worry: 'it stays near the limit (--max-old-space-size)',
  },
  heapTotal: { name: 'nodejs_heap_size_total_bytes', type: 'gauge', help: "Size of V8's heap" },
  external: {
    name: 'nodejs_external_memory_bytes',
    type: 'gauge',
    help: 'Memory outside of the heap that objects hold, array buffers included',
  },
  arrayBuffers: {
    name: 'nodejs_array_buffers_bytes',
    type: 'gauge',
    help: 'Record batches and messages in memory',
    worry: 'it is far above limits.tailCacheBytesMax plus what is in flight',
  },
  loopDelay: {
    name: 'odradek_event_loop_delay_seconds',
    type: 'gauge',
    labels: ['percentile'],
    help: 'How late the event loop was since the last scrape: percentile 50, 90, 99 and 100',
    worry: 'percentile 99 is above 0.1: every request waits as long',
  },
  diskFree: {
    name: 'odradek_disk_free_bytes',
    type: 'gauge',
    help: 'Free space on the disk of the data folder',
    worry: 'it would last for less than a day: a full disk refuses every write',
  },
  diskSize: { name: 'odradek_disk_size_bytes', type: 'gauge', help: 'Size of the disk of the data folder' },
  sync: {
    name: 'odradek_fsync_seconds',
    type: 'histogram',
    labels: ['log'],
    help: 'Time of one fdatasync, of partition logs (partitions) and of the metadata log (metadata)',
    worry: 'its 0.99 quantile is above 0.1: every acks=all write waits for it on each in-sync replica',
  },
  buildInfo: {
    name: 'odradek_build_info',
    type: 'gauge',
    labels: ['version', 'node_version'],
    help: 'Always 1; the labels tell what runs',
  },
} satisfies Record<string, Metric>;

/** How often the loop is asked; what is reported beyond that is delay. */
const RESOLUTION_MS = 10;
const NANOSECONDS_PER_SECOND = 1e9;
const PERCENTILES = [50, 90, 99];

/** One process has one event loop, however many nodes it runs. */
let loopDelay: IntervalHistogram | undefined;

/** Measures this process and the disk of `dataDir`, all of it at scrapes. */
export function measureProcess(meter: Meter, dataDir: string): void {
  const m = PROCESS_METRICS;
  let version: string | undefined;
  const startedAt = Date.now() / 1000 - process.uptime();
  meter.onScrape((sample) => {
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    sample(m.startTime, startedAt);
    sample(m.cpu, (user + system) / 1e6);
    sample(m.residentMemory, rss);
    sample(m.heapUsed, heapUsed);
    sample(m.heapTotal, heapTotal);
    sample(m.external, external);
    sample(m.arrayBuffers, arrayBuffers);
    version ??= packageVersion();
    sample(m.buildInfo, 1, version, process.version);
    sampleLoopDelay((percentile, seconds) => sample(m.loopDelay, seconds, percentile));
  });
  meter.onScrape(async (sample) => {
    // A disk that cannot be asked is missing from the answer; its failure shows wherever it is used.
    const disk = await statfs(dataDir).catch(() => undefined);
    if (!disk) return;
    sample(m.diskFree, disk.bavail * disk.bsize);
    sample(m.diskSize, disk.blocks * disk.bsize);
  });
}

/** Nothing before the first scrape: who is never asked does not watch. */
function sampleLoopDelay(report: (percentile: string, seconds: number) => void): void {
  if (!loopDelay) {
    loopDelay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    loopDelay.enable();
  }
  const delay = loopDelay;
  const seconds = (nanoseconds: number) =>
    delay.count === 0 ? 0 : Math.max(0, nanoseconds / NANOSECONDS_PER_SECOND - RESOLUTION_MS / 1000);
  for (const percentile of PERCENTILES) report(String(percentile), seconds(delay.percentile(percentile)));
  report('100', seconds(delay.max));
  delay.reset();
}

function packageVersion(): string {
  try {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    return String(JSON.parse(text).version);
  } catch {
    // Bundled into something else.
    return 'unknown';
  }
}
