import { PLAN_MS, type Plan } from './plan.ts';

/** A plan for people: seeds, how often each kind of fault is drawn, how busy the clients are, and what happens when. */
export function planText(plan: Plan): string {
  const { seed, diskSeed, networkSeed, workloadSeed, nodes, forMs, ratios, pausesMs, steps } = plan;
  const weights = Object.entries(ratios).filter(([, weight]) => weight > 0);
  const sum = weights.reduce((all, [, weight]) => all + weight, 0);
  const share = (weight: number) => `${((100 * weight) / sum).toFixed(1)} %`;
  const busy = Object.entries(pausesMs).map(([name, pauseMs]) =>
    pauseMs === 0 ? `no ${name}` : `${name} every ${pauseMs} ms`,
  );
  return [
    `seed ${seed}; of the disks ${diskSeed}, the network ${networkSeed}, the workloads ${workloadSeed}`,
    `${nodes} nodes, at work for ${forMs} ms`,
    `faults drawn: ${weights.map(([kind, weight]) => `${kind} ${share(weight)}`).join(', ') || 'by hand'}`,
    `workloads: ${busy.join(', ')}`,
    ...stepLines(plan.steps),
    `${steps.length} faults`,
  ].join('\n');
}

function stepLines(steps: Plan['steps']): string[] {
  let atMs = 0;
  const width = String(PLAN_MS).length;
  return steps.map(({ afterMs, forMs, fault: { kind, ...params } }) => {
    atMs += afterMs;
    return `  at ${String(atMs).padStart(width)} ms for ${String(forMs).padStart(width)} ms ${kind} ${JSON.stringify(params)}`;
  });
}
