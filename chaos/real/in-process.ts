import { execFileSync } from 'node:child_process';
import { type ClusterOptions, startCluster } from '../../src/testing/index.ts';

const STARTS = 20;
const ENTRY = new URL('../../testing/index.js', import.meta.url).href;
const LOAD = `const began = performance.now();
await import(${JSON.stringify(ENTRY)});
console.log(performance.now() - began);`;

/** How fast `odradek/testing` loads (needs a built `dist/`), and its clusters start, serve and stop in this process. */
export async function inProcessClusters(): Promise<string[]> {
  const load = Number(
    execFileSync(process.execPath, ['--input-type=module', '-e', LOAD], { encoding: 'utf8' }),
  );
  const lines = [`odradek/testing is loaded in ${load.toFixed(0)} ms`];
  for (const storage of ['memory', 'folder'] as const) {
    for (const nodes of [1, 3] as const) lines.push(await startOften({ nodes, storage }));
  }
  return lines;
}

async function startOften(options: ClusterOptions): Promise<string> {
  const ready: number[] = [];
  const written: number[] = [];
  const stopped: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    const beganMs = performance.now();
    const cluster = await startCluster(options);
    ready.push(performance.now() - beganMs);
    const client = cluster.client();
    await client.admin().createTopic({ name: 'first' });
    await client.producer().send({ topic: 'first', value: 'write' });
    written.push(performance.now() - beganMs);
    const stoppingMs = performance.now();
    await cluster.stop();
    stopped.push(performance.now() - stoppingMs);
  }
  return (
    `startCluster(${JSON.stringify(options)}), ${STARTS} times: ready after ${spread(ready)}; a topic made and a write ` +
    `acknowledged after ${spread(written)}; stopped in ${spread(stopped)}`
  );
}

function spread(ms: readonly number[]): string {
  const sorted = ms.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `${median.toFixed(0)} ms (median; at worst ${(sorted.at(-1) ?? 0).toFixed(0)})`;
}
