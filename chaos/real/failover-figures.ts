/**
 * `make failover [ROUNDS=20] [STRIKE='stop leader']`: how long writes pause when a partition leader or the active controller is
 * killed, stopped or cut off, each figure beside its goal. Exits with 1 when a write was lost or a goal was missed.
 */
import { type Round, runFailover, type Victim } from './failover.ts';
import type { Strike } from './failover-scene.ts';
import { percentile } from './pauses.ts';

interface Goals {
  readonly ledMs: number;
  readonly followedMs: number;
}

const FAULTS: readonly { readonly strike: Strike; readonly victim: Victim; readonly goals: Goals }[] = [
  { strike: 'kill', victim: 'leader', goals: { ledMs: 500, followedMs: 500 } },
  { strike: 'kill', victim: 'controller', goals: { ledMs: 1000, followedMs: 1000 } },
  { strike: 'stop', victim: 'leader', goals: { ledMs: 3000, followedMs: 2000 } },
  { strike: 'stop', victim: 'controller', goals: { ledMs: 3000, followedMs: 3000 } },
  { strike: 'cut', victim: 'leader', goals: { ledMs: 3000, followedMs: 3000 } },
  { strike: 'cut', victim: 'controller', goals: { ledMs: 3000, followedMs: 3000 } },
];
/** No gap: what has nothing to do with the victim pauses as long as it does without a fault, give or take a collection. */
const SPARED_MS = 100;

const rounds = Number(process.argv[2] ?? 20);
const only = process.argv[3] ?? '';

for (const { strike, victim, goals } of FAULTS) {
  if (!`${strike} ${victim}`.includes(only)) continue;
  const result = await runFailover(rounds, strike, [victim]);
  console.log(`${strike} ${victim}, ${rounds} times: ${result.acknowledged} acknowledged writes`);
  const figure = (what: string, of: (round: Round) => number, goalMs: number) => {
    const values = result.rounds.map(of);
    const [p50, p99] = [percentile(values, 0.5), percentile(values, 0.99)].map(Math.round);
    const missed = (p99 ?? 0) > goalMs;
    if (missed) process.exitCode = 1;
    const goal = Number.isFinite(goalMs) ? `, goal ${Math.round(goalMs)} ms${missed ? ': MISSED' : ''}` : '';
    console.log(`  ${what.padEnd(24)} p50 ${p50} ms, p99 ${p99} ms${goal}`);
  };
  const calmMs = percentile(
    result.rounds.map((round) => round.calmMs),
    0.99,
  );
  figure('led by the victim', ({ ledMs }) => ledMs, goals.ledMs);
  figure('followed by the victim', ({ followedMs }) => followedMs, goals.followedMs);
  figure('without the victim', ({ elsewhereMs }) => elsewhereMs, calmMs + SPARED_MS);
  figure('  and without a fault', (round) => round.calmMs, Number.POSITIVE_INFINITY);
  for (const problem of result.problems.slice(0, 20)) console.log(`  ${problem}`);
  if (result.problems.length > 0) process.exitCode = 1;
}
