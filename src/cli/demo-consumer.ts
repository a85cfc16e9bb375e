/**
 * One consumer process of the demo's group; `demo.ts` starts three. Its arguments come as one JSON text, its progress
 * goes to the parent over IPC, and it ends with the parent: a leftover must not live on.
 */

import { json, Odradek, string } from '../client/node.ts';
import { asError } from '../platform/as-error.ts';
import { AirportConsumer } from './demo/airport-consumer.ts';
import type { ConsumerArguments, ConsumerProgress } from './demo/consumer-process.ts';
import type { Flight } from './demo/flights.ts';

const REPORT_INTERVAL_MS = 50;
const POLL_RECORDS_MAX = 5000;

const { bootstrap, group, topic, name } = JSON.parse(process.argv[2] ?? '{}') as ConsumerArguments;
const stop = new AbortController();
process.on('disconnect', () => process.exit(0));
process.on('message', () => stop.abort());
// Ctrl-C reaches the whole terminal; the parent decides what it means.
process.on('SIGINT', () => {});

const client = new Odradek({ bootstrap, clientId: name });
const consumer = client.consumer({
  group,
  key: string,
  value: json<Flight>(),
  autoCommit: false,
  autoOffsetReset: 'earliest',
  pollRecordsMax: POLL_RECORDS_MAX,
});
const airports = new AirportConsumer(consumer);
let reportedMs = 0;
try {
  await airports.run(topic, stop.signal, () => {
    if (performance.now() - reportedMs < REPORT_INTERVAL_MS) return;
    reportedMs = performance.now();
    const progress: ConsumerProgress = { consumed: airports.consumed, partitions: airports.partitions };
    process.send?.(progress);
  });
  await client.close();
} catch (error) {
  process.stderr.write(`${name}: ${asError(error).message}\n`);
  process.exit(1);
}
process.disconnect?.();
