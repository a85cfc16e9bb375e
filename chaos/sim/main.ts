/**
 * Runs fault plans on simulated clusters, one per seed, outside the test runner: `make sim SEEDS=1000` or, to repeat
 * one, `make sim SEED=7`. Exit codes: 0 all held, 2 usage, 3 a node or the harness crashed, 4 safety, 5 liveness,
 * 6 something that plans should bring about never happened.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { RunFailure, type RunOptions, runPlan } from '../cluster/run.ts';
import { RunsCovered } from '../coverage.ts';
import { FAULTS } from '../faults/index.ts';
import type { Plan } from '../plan.ts';
import { planText } from '../plan-text.ts';
import { planOf, SCENARIOS, type ScenarioName } from '../scenarios.ts';
import { failsWith, shrunkPlan } from '../shrink.ts';
import { SITUATIONS } from '../situations.ts';
import { WORKLOADS } from '../workloads/index.ts';
import { type Outcome, type RunSeed, runInJobs, serveSeeds } from './jobs.ts';
import type { SimLogLine } from './world.ts';

const EXIT_CODES = { crash: 3, safety: 4, liveness: 5, coverage: 6 } as const;
/** So many runs of any plans must have reached everything there is. */
const COVERING_RUNS = 200;
const EXPECTED = [
  ...FAULTS.map(({ kind }) => `fault: ${kind}`),
  ...WORKLOADS.map(({ name }) => `workload: ${name}`),
  ...SITUATIONS.map((name) => `situation: ${name}`),
];
const SHRINK_MS_MAX = 120_000;
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
    /** Writes all that happened in the one run that was asked for to this file, and what its nodes logged to `<file>.log`. */
    trace: { type: 'string' },
    /** Of the one plan that was asked for, looks for the smallest that still fails. */
    shrink: { type: 'boolean', default: false },
    /** How many seeds to run at once, each in a process of its own; 1: here. By default one per core. */
    jobs: { type: 'string' },
    /** Runs seeds from the base on for so long, instead of a number of them. */
    minutes: { type: 'string' },
    /** This process runs the seeds that another one sends. */
    worker: { type: 'boolean', default: false },
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

/** The one plan that was asked for, if it was one. */
function onePlan(): Plan | undefined {
  if (values.plan !== undefined) return JSON.parse(values.plan) as Plan;
  return values.seed === undefined ? undefined : planOf(wholeNumber('SEED', values.seed), scenario());
}

function* seeds(): Generator<number> {
  const base = wholeNumber('SEED_BASE', values.base);
  const minutes = values.minutes === undefined ? undefined : wholeNumber('MINUTES', values.minutes);
  const count = minutes === undefined ? wholeNumber('SEEDS', values.seeds) : Number.POSITIVE_INFINITY;
  const endMs = performance.now() + (minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  for (let seed = base; seed < base + count && performance.now() < endMs; seed += 1) yield seed;
}

const runSeed: RunSeed = (seed) => runOne(seed, planOf(seed, scenario()));

async function runOne(seed: number, plan: Plan): Promise<Outcome> {
  try {
    return { seed, result: await runPlan(plan, traced()) };
  } catch (error) {
    if (!(error instanceof RunFailure)) throw error;
    lastFailure = error;
    return { seed, verdict: error.verdict, message: error.message };
  }
}

async function* runHere(plan: Plan | undefined): AsyncGenerator<Outcome> {
  if (plan) yield await runOne(plan.seed, plan);
  else for (const seed of seeds()) yield await runSeed(seed);
}

/** All that is known of a failure: of another process only the seed, so it is repeated here. */
async function failureOf(outcome: Outcome, jobs: number): Promise<RunFailure> {
  if (jobs > 1) await runSeed(outcome.seed);
  if (lastFailure?.plan.seed === outcome.seed) return lastFailure;
  throw new Error(
    `seed ${outcome.seed} failed in one process and not in another: a run is not a function of it`,
  );
}

/** Options that keep everything, where a trace is asked for. */
function traced(): RunOptions {
  const { trace } = values;
  if (trace === undefined) return {};
  const all = Number.POSITIVE_INFINITY;
  return {
    traceLinesMax: all,
    logLinesMax: all,
    onEnd: (world) => {
      writeFileSync(trace, world.trace.lines.join('\n'));
      writeFileSync(`${trace}.log`, world.log.map(logText).join('\n'));
    },
  };
}

function logText({ atMs, node, level, message, fields }: SimLogLine): string {
  const shown = JSON.stringify(fields, (_, value) => (value instanceof Error ? value.message : value));
  return `  ${atMs.toFixed(1).padStart(9)} ${node} ${level} ${message} ${shown}`;
}

/** A failing plan made small, as one command. */
async function reportShrunk({ plan, verdict }: RunFailure): Promise<void> {
  console.error(`looking for a smaller plan that fails, for ${SHRINK_MS_MAX / 1000} s at most`);
  const fails = failsWith(verdict);
  const smallest = await shrunkPlan(plan.seed, scenario(), fails, SHRINK_MS_MAX);
  console.error(planText(smallest));
  console.error(`a smaller one: make sim PLAN='${JSON.stringify(smallest)}'`);
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
  for (const line of log.slice(-LOG_LINES_SHOWN)) console.error(logText(line));
  console.error(planText(plan));
  console.error(`plan: ${JSON.stringify(plan)}`);
  console.error(failure.message);
  if (verdict === 'crash') console.error(cause);
  const from = values.scenario === 'any' ? '' : ` SCENARIO=${values.scenario}`;
  const what = values.plan === undefined ? `SEED=${plan.seed}${from}` : `PLAN='${values.plan}'`;
  const how = `make sim ${what}`;
  console.error(`${verdict} failure at commit ${commit()}; reproduce it with: ${how}`);
  if (values.plan === undefined) console.error(`and make it smaller with: ${how} SHRINK=1`);
}

let lastFailure: RunFailure | undefined;
if (values.worker) serveSeeds(runSeed);
else process.exit(await runAll());

async function runAll(): Promise<number> {
  const plan = onePlan();
  // What hunts for a bug counts seeds in their order.
  const isInOrder = plan !== undefined || values.brief;
  const jobs = isInOrder ? 1 : wholeNumber('--jobs', values.jobs ?? `${availableParallelism()}`);
  let exitCode = 0;
  let virtualMs = 0;
  let acknowledged = 0;
  let runs = 0;
  let failures = 0;
  const covered = new RunsCovered();
  if (plan) console.log(planText(plan));
  const startedMs = performance.now();
  const worker = ['--worker', '--scenario', scenario()];
  for await (const outcome of jobs === 1 ? runHere(plan) : runInJobs(seeds(), jobs, worker)) {
    runs += 1;
    if (outcome.verdict === undefined) {
      const { result } = outcome;
      virtualMs += result.virtualMs;
      acknowledged += result.acknowledged;
      covered.add(result.covered);
      if (values.verbose) console.log(`seed ${outcome.seed}: ${JSON.stringify(result)}`);
      continue;
    }
    const { verdict, message } = outcome;
    failures += 1;
    exitCode ||= EXIT_CODES[verdict];
    if (values.all) {
      console.error(`${verdict}: ${message}`);
      continue;
    }
    if (values.brief) console.log(`${verdict} after ${runs} seeds: ${message.split('\n', 3).join('; ')}`);
    else {
      const failure = await failureOf(outcome, jobs);
      report(failure);
      if (values.shrink && values.plan === undefined) await reportShrunk(failure);
    }
    break;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const speed = virtualMs / 1000 / seconds;
  console.log(
    `${runs} plans, ${failures} failed, ${acknowledged} records acknowledged, ` +
      `${Math.round(virtualMs / 1000)} simulated seconds in ${seconds.toFixed(1)} s ` +
      `(${Math.round(speed)} per second, ${Math.round(speed / jobs)} per core)`,
  );
  if (covered.runs > 1) console.log(covered.table(EXPECTED));
  const missing = covered.missing(EXPECTED);
  if (exitCode === 0 && covered.runs >= COVERING_RUNS && values.scenario === 'any' && missing.length > 0) {
    console.error(`never happened in ${covered.runs} runs: ${missing.join(', ')}`);
    exitCode = EXIT_CODES.coverage;
  }
  return exitCode;
}
