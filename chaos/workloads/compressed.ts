import { javascriptCodecs } from '../../src/protocol/codecs/javascript.ts';
import { COMPRESSION, setCodec } from '../../src/protocol/compression.ts';
import { Producing } from './producing.ts';
import { together, type WorkloadKind } from './workload.ts';

const NAMES = ['gzip', 'snappy', 'lz4', 'zstd'] as const;

// Loaded before any run: to load one takes real time, and that of a run is simulated.
for (const name of NAMES) setCodec(COMPRESSION[name], await javascriptCodecs(COMPRESSION[name]));

/** A producer of compressed batches beside those of the main topic. */
export const compressed: WorkloadKind = {
  name: 'compressed',
  pausesMs: [0, 0, 0, 2000],
  start: (context) => {
    const compression = context.random.pick(NAMES);
    return together([new Producing(context, { name: 'z0', producer: { compression } })]);
  },
};
