/**
 * `make chaos [MINUTES=5] [SEED=1]`: tortures a cluster of real processes while clients use it. Begin reading in
 * `nemesis/run.ts`. Exit codes: 0 all held, 2 usage, 3 a node or the harness crashed, 4 safety, 5 liveness.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULTS } from './faults/index.ts';
import type { Step } from './nemesis/nemesis.ts';
import { ChaosFailure, type ChaosResult, runChaos } from './nemesis/run.ts';

const EXIT_CODES = { crash: 3, safety: 4, liveness: 5 } as const;
const INTERRUPTED = 130;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    /** Faults whose names contain this alone. */
    only: { type: 'string' },
    /** Keeps the folder of a run without a failure too. */
    keep: { type: 'boolean', default: false },
  },
});

function number(name: string, text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  console.error(`${name} is a number, not ${text}`);
  process.exit(2);
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

/** Per kind of fault, of the steps in which nothing else happened: how often, and the longest standstills. */
function table(steps: readonly Step[]): string[] {
  const rows = new Map<string, { count: number; produceMs: number; consumeMs: number }>();
  for (const { faults, gaps } of steps) {
    const name = faults.length === 1 ? (faults[0]?.name ?? '') : 'several at once';
    const row = rows.get(name) ?? { count: 0, produceMs: 0, consumeMs: 0 };
    rows.set(name, {
      count: row.count + 1,
      produceMs: Math.max(row.produceMs, gaps.produceMs),
      consumeMs: Math.max(row.consumeMs, gaps.consumeMs),
    });
  }
  const line = (cells: readonly string[]) =>
    `${cells[0]?.padEnd(40)}${cells
      .slice(1)
      .map((cell) => cell.padStart(14))
      .join('')}`;
  return [
    line(['longest standstill of a partition', 'times', 'produce ms', 'consume ms']),
    ...[...rows].map(([name, { count, produceMs, consumeMs }]) =>
      line([name, `${count}`, produceMs.toFixed(0), consumeMs.toFixed(0)]),
    ),
  ];
}

/** Each kind of fault is a test: passed, or skipped, by name. */
function report({ steps, missing, acknowledged }: ChaosResult): void {
  for (const line of table(steps)) console.log(line);
  const met = new Set(steps.flatMap(({ faults }) => faults));
  for (const [{ name }, why] of missing) console.log(`skipped: ${name}: ${why}`);
  const late = FAULTS.filter((fault) => !met.has(fault) && !missing.has(fault));
  for (const { name } of values.only === undefined ? late : [])
    console.log(`skipped: ${name}: the time was over`);
  console.log(
    `${acknowledged} acknowledged records, ${steps.length} steps, nothing lost, doubled or out of order`,
  );
  console.log(`Tests  ${met.size} passed | ${FAULTS.length - met.size} skipped`);
}

const seed = number('SEED', values.seed);
const minutes = number('MINUTES', values.minutes);
const only = values.only === undefined ? '' : ` ONLY='${values.only}'`;
const command = `make chaos MINUTES=${minutes} SEED=${seed}${only}`;
const dir = mkdtempSync(join(tmpdir(), 'odradek-chaos-'));
const startedMs = performance.now();
const say = (line: string) =>
  console.log(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(7)} s  ${line}`);

let endCluster = async (): Promise<void> => {};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void endCluster().finally(() => {
      rmSync(dir, { recursive: true, force: true });
      process.exit(INTERRUPTED);
    });
  });
}

console.log(`${command} at commit ${commit()}, in ${dir}`);
try {
  const result = await runChaos({
    dir,
    seed,
    forMs: minutes * 60_000,
    only: values.only,
    say,
    onStarted: (end) => {
      endCluster = end;
    },
  });
  report(result);
  if (!values.keep) rmSync(dir, { recursive: true, force: true });
  process.exit(0);
} catch (error) {
  if (!(error instanceof ChaosFailure)) throw error;
  console.error(`${error.verdict} failure at commit ${commit()}: ${error.message}`);
  if (error.cause) console.error(error.cause);
  console.error(`logs and data: ${dir}; do the same again with: ${command}`);
  console.log('Tests  1 failed');
  process.exit(EXIT_CODES[error.verdict]);
}
