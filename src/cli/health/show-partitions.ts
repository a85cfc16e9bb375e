import { type Cell, table } from '../output.ts';
import { bold, green, red, yellow } from '../style.ts';
import {
  countStates,
  PARTITION_STATES,
  type PartitionHealth,
  type PartitionState,
} from './partition-health.ts';

const PAINT: Readonly<Record<PartitionState, (text: string) => string>> = {
  offline: red,
  'under-min-isr': red,
  'under-replicated': yellow,
  ok: (text) => text,
};

/** `12 partitions: 2 under-replicated`, in the colour of the worst. */
export function healthLine(partitions: readonly PartitionHealth[]): string {
  const counts = countStates(partitions);
  const total = `${partitions.length} partition${partitions.length === 1 ? '' : 's'}`;
  const bad = PARTITION_STATES.filter((state) => state !== 'ok' && counts[state] > 0);
  const [worst] = bad;
  if (worst === undefined) return partitions.length === 0 ? total : green(`${total}, all in sync`);
  return PAINT[worst](`${total}: ${bad.map((state) => `${counts[state]} ${state}`).join(', ')}`);
}

/** One row a partition; the replicas' lags stand in the order of the replicas, with a question mark for no answer. */
export function partitionTable(
  partitions: readonly PartitionHealth[],
  withTopic: boolean,
  offsets: (partition: PartitionHealth) => readonly [start: Cell, end: Cell],
): string {
  const titles = ['partition', 'leader', 'epoch', 'replicas', 'in sync', 'start offset', 'end offset'];
  const more = ['replica lag', 'size', 'state'];
  const rows = partitions.map((health): Cell[] => [
    ...(withTopic ? [health.topic] : []),
    health.partition,
    health.leader ?? 'none',
    health.leaderEpoch,
    health.replicas.map(({ broker }) => broker).join(','),
    health.isr.join(','),
    ...offsets(health),
    health.replicas.map(({ lag }) => lag ?? '?').join(','),
    health.sizeBytes === null ? null : sizeText(health.sizeBytes),
    health.state,
  ]);
  const [head = '', ...lines] = table([...(withTopic ? ['topic'] : []), ...titles, ...more], rows).split(
    '\n',
  );
  return [bold(head), ...lines.map((line, i) => PAINT[partitions[i]?.state ?? 'ok'](line))].join('\n');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `512 B`, `1.5 MiB`. */
export function sizeText(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 1024 && unit < UNITS.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit]}`;
}
