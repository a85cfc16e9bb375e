/** Every way in which real processes are made to fail: one small file each, and one line here. `fault.ts` says what one is. */
import { bitFlips } from './bit-flips.ts';
import { corruptedBytes } from './corrupted-bytes.ts';
import { cutOneWay } from './cut-one-way.ts';
import { droppedConnections } from './dropped-connections.ts';
import type { Fault } from './fault.ts';
import { fullDisk } from './full-disk.ts';
import { halfOpen } from './half-open.ts';
import { isolateClients } from './isolate-clients.ts';
import { isolateController } from './isolate-controller.ts';
import { isolateLeader } from './isolate-leader.ts';
import { killAll } from './kill-all.ts';
import { killAny } from './kill-any.ts';
import { killController } from './kill-controller.ts';
import { killLeader } from './kill-leader.ts';
import { majorityRing } from './majority-ring.ts';
import { narrowLinks } from './narrow-links.ts';
import { noSpace } from './no-space.ts';
import { packetsOneWay } from './packets-one-way.ts';
import { packetsRing } from './packets-ring.ts';
import { pauseController } from './pause-controller.ts';
import { pauseLeader } from './pause-leader.ts';
import { readErrors } from './read-errors.ts';
import { restart } from './restart.ts';
import { restartAll } from './restart-all.ts';
import { slowLinks } from './slow-links.ts';
import { slowSyncs } from './slow-syncs.ts';
import { syncErrors } from './sync-errors.ts';
import { truncatedFiles } from './truncated-files.ts';
import { unpluggedNode } from './unplugged-node.ts';
import { wipedDisk } from './wiped-disk.ts';
import { writeErrors } from './write-errors.ts';

export const FAULTS: readonly Fault[] = [
  killLeader,
  killController,
  killAny,
  killAll,
  pauseLeader,
  pauseController,
  restart,
  restartAll,
  wipedDisk,
  fullDisk,
  noSpace,
  bitFlips,
  truncatedFiles,
  writeErrors,
  syncErrors,
  readErrors,
  slowSyncs,
  cutOneWay,
  majorityRing,
  isolateController,
  isolateLeader,
  isolateClients,
  halfOpen,
  slowLinks,
  narrowLinks,
  droppedConnections,
  corruptedBytes,
  packetsOneWay,
  packetsRing,
  unpluggedNode,
];
