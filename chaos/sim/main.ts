/**
 * Runs fault plans on simulated clusters, one per seed, outside the test runner: `make sim SEEDS=1000` or, to repeat
 * one, `make sim SEED=7`. Exit codes: 0 all held, 2 usage, 3 a node or the harness crashed, 4 safety, 5 liveness,
 * 6 something that plans should bring about never happened.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { RunFailure, runPlan } from '../cluster/run.ts';
import { RunsCovered } from '../coverage.ts';
import { FAULTS } from '../faults/index.ts';
import type { Plan } from '../plan.ts';
import { planText } from '../plan-text.ts';
import { planOf, SCENARIOS, type ScenarioName } from '../scenarios.ts';
import { SITUATIONS } from '../situations.ts';
import { WORKLOADS } from '../workloads/index.ts';

const EXIT_CODES = { crash: 3, safety: 4, liveness: 5, coverage: 6 } as const;
/** So many runs of any plans must have reached everything there is. */
const COVERING_RUNS = 200;
const EXPECTED = [
  ...FAULTS.map(({ kind }) => `fault: ${kind}`),
  ...WORKLOADS.map(({ name }) => `workload: ${name}`),
  ...SITUATIONS.map((name) => `situation: ${name}`),
];
const LOG_LINES_SHOWN = Number(process.env.SIM_LOG_LINES ?? 60);

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    base: { type: 'string', default: '1' },
    plan: { type: 'string' },
    /** Which plans to draw from; see SCENARIOS. */
    scenario: { type: 'string', default: 'any' },
    /** Goes on after a failure, and tells how often each occurred. */
    all: { type: 'boolean', default: false },
    /** Prints one line about a failure, for programs. */
    brief: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

function wholeNumber(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  console.error(`${name} is a whole number, not ${text}`);
  process.exit(2);
}

function scenario(): ScenarioName {
  const names = Object.keys(SCENARIOS) as ScenarioName[];
  const found = names.find((name) => name === values.scenario);
  if (found !== undefined) return found;
  console.error(`SCENARIO is one of ${names.join(', ')}, not ${values.scenario}`);
  process.exit(2);
}

function plans(): Plan[] {
  if (values.plan !== undefined) return [JSON.parse(values.plan) as Plan];
  if (values.seed !== undefined) return [planOf(wholeNumber('SEED', values.seed), scenario())];
  const base = wholeNumber('SEED_BASE', values.base);
  return Array.from({ length: wholeNumber('SEEDS', values.seeds) }, (_, index) =>
    planOf(base + index, scenario()),
  );
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function report(failure: RunFailure): void {
  const { plan, verdict, log, cause } = failure;
  for (const { atMs, node, level, message, fields } of log.slice(-LOG_LINES_SHOWN)) {
    const shown = JSON.stringify(fields, (_, value) => (value instanceof Error ? value.message : value));
    console.error(`  ${atMs.toFixed(1).padStart(9)} ${node} ${level} ${message} ${shown}`);
  }
  console.error(planText(plan));
  console.error(`plan: ${JSON.stringify(plan)}`);
  console.error(failure.message);
  if (verdict === 'crash') console.error(cause);
  const from = values.scenario === 'any' ? '' : ` SCENARIO=${values.scenario}`;
  const what = values.plan === undefined ? `SEED=${plan.seed}${from}` : `PLAN='${values.plan}'`;
  const how = `make sim ${what}`;
  console.error(`${verdict} failure at commit ${commit()}; reproduce it with: ${how}`);
}

let exitCode = 0;
let virtualMs = 0;
let acknowledged = 0;
let failures = 0;
const all = plans();
const covered = new RunsCovered();
if (values.seed !== undefined) console.log(all.map(planText).join('\n'));
const startedMs = performance.now();
for (const [index, plan] of all.entries()) {
  try {
    const result = await runPlan(plan);
    virtualMs += result.virtualMs;
    acknowledged += result.acknowledged;
    covered.add(result.covered);
    if (values.verbose) console.log(`seed ${plan.seed}: ${JSON.stringify(result)}`);
  } catch (error) {
    if (!(error instanceof RunFailure)) throw error;
    failures += 1;
    exitCode ||= EXIT_CODES[error.verdict];
    if (values.all) console.error(`${error.verdict}: ${error.message}`);
    else {
      if (values.brief)
        console.log(`${error.verdict} after ${index + 1} seeds: ${error.message.split('\n', 3).join('; ')}`);
      else report(error);
      break;
    }
  }
}
const seconds = (performance.now() - startedMs) / 1000;
const speed = Math.round(virtualMs / 1000 / seconds);
console.log(
  `${all.length} plans, ${failures} failed, ${acknowledged} records acknowledged, ` +
    `${Math.round(virtualMs / 1000)} simulated seconds in ${seconds.toFixed(1)} s (${speed} per second)`,
);
if (covered.runs > 1) console.log(covered.table(EXPECTED));
const missing = covered.missing(EXPECTED);
if (exitCode === 0 && covered.runs >= COVERING_RUNS && values.scenario === 'any' && missing.length > 0) {
  console.error(`never happened in ${covered.runs} runs: ${missing.join(', ')}`);
  exitCode = EXIT_CODES.coverage;
}
process.exit(exitCode);
