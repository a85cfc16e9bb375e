/**
 * What befalls a cluster during a run. Each kind of fault is one small file, and one line here; how often each strikes, a
 * run draws from its seed (`../plan.ts`). `fault.ts` says what a fault is, `carry-out.ts` carries a plan's out.
 */
import { bitRot } from './bit-rot.ts';
import { blackout } from './blackout.ts';
import { brokenConnections } from './broken-connections.ts';
import { clockDrift } from './clock-drift.ts';
import { clockJump } from './clock-jump.ts';
import { corruptNetwork } from './corrupt-network.ts';
import { cut } from './cut.ts';
import { cutClients } from './cut-clients.ts';
import { diskFull } from './disk-full.ts';
import { failRead } from './fail-read.ts';
import { failSync } from './fail-sync.ts';
import { failWrite } from './fail-write.ts';
import type { FaultOf } from './fault.ts';
import { halfOpen } from './half-open.ts';
import { isolate } from './isolate.ts';
import { kill } from './kill.ts';
import { killClient } from './kill-client.ts';
import { killTogether } from './kill-together.ts';
import { lastReplica } from './last-replica.ts';
import { lostMessages } from './lost-messages.ts';
import { lyingSync } from './lying-sync.ts';
import { misdirectedWrite } from './misdirected-write.ts';
import { pause } from './pause.ts';
import { powerWhilePaused } from './power-while-paused.ts';
import { reorderedMessages } from './reordered-messages.ts';
import { repeatedMessages } from './repeated-messages.ts';
import { ring } from './ring.ts';
import { shortWrite } from './short-write.ts';
import { slowCpu } from './slow-cpu.ts';
import { slowDisk } from './slow-disk.ts';
import { slowDisks } from './slow-disks.ts';
import { slowLink } from './slow-link.ts';
import { slowNetwork } from './slow-network.ts';
import { slowReader } from './slow-reader.ts';
import { splitClients } from './split-clients.ts';
import { stop } from './stop.ts';
import { tornWrites } from './torn-writes.ts';
import { upgrade } from './upgrade.ts';
import { wipeDisk } from './wipe-disk.ts';

export const FAULTS = [
  kill,
  stop,
  blackout,
  pause,
  isolate,
  cut,
  cutClients,
  slowNetwork,
  brokenConnections,
  lostMessages,
  repeatedMessages,
  reorderedMessages,
  failSync,
  slowDisk,
  clockJump,
  clockDrift,
  killClient,
  diskFull,
  failRead,
  failWrite,
  shortWrite,
  slowLink,
  halfOpen,
  slowReader,
  ring,
  splitClients,
  slowCpu,
  killTogether,
  powerWhilePaused,
  lastReplica,
  slowDisks,
  wipeDisk,
  bitRot,
  misdirectedWrite,
  lyingSync,
  tornWrites,
  corruptNetwork,
  upgrade,
] as const;

export type Fault = FaultOf<(typeof FAULTS)[number]>;
