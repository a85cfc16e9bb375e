import { env } from 'node:process';
import { expect, test } from 'vitest';
import { checkModel } from '../../chaos/real/model/check-model.ts';

const { MODEL_SEED, MODEL_RUNS, MODEL_MINUTES, MODEL_PATH, MODEL_REPLAY } = env;
const timeLimitMs = MODEL_MINUTES ? Number(MODEL_MINUTES) * 60_000 : 45_000;

test(
  'real processes: what was promised is kept, whatever is done to the nodes meanwhile',
  async () => {
    const { failure, runs, done } = await checkModel({
      seed: Number(MODEL_SEED || 1),
      runs: Number(MODEL_RUNS || 8),
      commandsMax: 30,
      timeLimitMs,
      path: MODEL_PATH || undefined,
      replayPath: MODEL_REPLAY || undefined,
    });
    expect(failure).toBeUndefined();
    const counts = [...done].map(([what, times]) => `${what} ${times}`);
    console.log(`${runs} runs held: ${counts.sort().join(', ')}`);
  },
  timeLimitMs + 180_000,
);
