/**
 * `make figures`: how fast clusters start, inside a process and of processes, how much memory these take when idle, how
 * long a scrape of the metrics takes and what recording them costs.
 */
import { coldStart } from './cold-start.ts';
import { inProcessClusters } from './in-process.ts';
import { measureRecording } from './recording.ts';
import { measureScrape } from './scrape.ts';

const COLD_STARTS = 5;
const PARTITIONS = 1000;

for (const line of await inProcessClusters()) console.log(line);

const starts = [];
for (let start = 0; start < COLD_STARTS; start++) starts.push(await coldStart());
const seconds = starts.map(({ firstAckMs }) => (firstAckMs / 1000).toFixed(2));
console.log(`cold bin/cluster up to the first acknowledged write: ${seconds.join(', ')} s`);
const megabytes = starts.flatMap(({ idleBytes }) => idleBytes.map((bytes) => Math.round(bytes / 1e6)));
console.log(`idle resident memory of a node: ${Math.min(...megabytes)} to ${Math.max(...megabytes)} MB`);

const scrape = await measureScrape(PARTITIONS);
console.log(
  `a scrape of ${PARTITIONS} partitions (${scrape.series} series): p50 ${scrape.p50Ms.toFixed(1)} ms, p90 ` +
    `${scrape.p90Ms.toFixed(1)} ms, ${scrape.cpuMs.toFixed(1)} ms of CPU; the first ${scrape.firstMs.toFixed(0)} ms`,
);

const { recordingUs, requestUs } = await measureRecording();
console.log(
  `recording the metrics of a produce request: ${recordingUs.toFixed(2)} us of CPU, ` +
    `${((100 * recordingUs) / requestUs).toFixed(2)} % of the ${requestUs.toFixed(0)} us of a small one`,
);
