/**
 * What befalls a cluster during a run. Each kind of fault is one small file, and one line here; how often each strikes, a
 * run draws from its seed (`../plan.ts`). `fault.ts` says what a fault is, `carry-out.ts` carries a plan's out.
 */
import { badNetwork } from './bad-network.ts';
import { blackout } from './blackout.ts';
import { clockDrift } from './clock-drift.ts';
import { clockJump } from './clock-jump.ts';
import { cut } from './cut.ts';
import { cutClients } from './cut-clients.ts';
import { failSync } from './fail-sync.ts';
import type { FaultOf } from './fault.ts';
import { isolate } from './isolate.ts';
import { kill } from './kill.ts';
import { killClient } from './kill-client.ts';
import { pause } from './pause.ts';
import { slowDisk } from './slow-disk.ts';
import { slowNetwork } from './slow-network.ts';
import { stop } from './stop.ts';

export const FAULTS = [
  kill,
  stop,
  blackout,
  pause,
  isolate,
  cut,
  cutClients,
  slowNetwork,
  badNetwork,
  failSync,
  slowDisk,
  clockJump,
  clockDrift,
  killClient,
] as const;

export type Fault = FaultOf<(typeof FAULTS)[number]>;
