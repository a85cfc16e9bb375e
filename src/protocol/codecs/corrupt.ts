import { RecordBatchError } from '../record-batch-error.ts';

/** Compressed bytes that are not what their format says. */
export function corrupt(what: string): RecordBatchError {
  return new RecordBatchError('corrupt', `the records cannot be decompressed: ${what}`);
}

/** A small batch that would fill the memory. */
export function tooLarge(bytesMax: number): RecordBatchError {
  return corrupt(`they grow beyond ${bytesMax} bytes`);
}

/** The chunks as one array; as it is when there is one only. */
export function joined(chunks: readonly Uint8Array[], totalBytes: number): Uint8Array {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(totalBytes);
  let filled = 0;
  for (const chunk of chunks) {
    whole.set(chunk, filled);
    filled += chunk.length;
  }
  return whole;
}
