import { randomFillSync } from 'node:crypto';
import type { Random } from './ports.ts';

export const nodeRandom: Random = {
  float: () => Math.random(),
  bytes: (length) => randomFillSync(new Uint8Array(length)),
};
