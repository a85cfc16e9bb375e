/** `make failover [KILLS=20]`: prints how long writes pause when a partition leader or the controller is killed. */
import { runFailover, type Victim } from './failover.ts';

const kills = Number(process.argv[2] ?? 20);

for (const victim of ['leader', 'controller'] satisfies Victim[]) {
  const { gapsMs, acknowledged, problems } = await runFailover(kills, [victim]);
  const sorted = gapsMs.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  console.log(
    `${kills} kills of the ${victim}: writes paused for p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ` +
      `${acknowledged} acknowledged writes, ${problems.length} problems`,
  );
  for (const problem of problems.slice(0, 20)) console.log(`  ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}
