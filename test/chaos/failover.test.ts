import { expect, test } from 'vitest';
import { runFailover } from '../../chaos/real/failover.ts';

test('real processes: every acknowledged write outlives SIGKILLs of leaders and of the controller', async () => {
  const { rounds, acknowledged, problems } = await runFailover(4, 'kill', ['leader', 'controller']);
  expect(problems).toEqual([]);
  expect(rounds).toHaveLength(4);
  expect(acknowledged).toBeGreaterThan(100);
}, 180_000);
