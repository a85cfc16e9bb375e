/** The two encoders inside kafkajs that make a record batch; kafkajs ships no types for them. */

declare module 'kafkajs/src/protocol/recordBatch/v0/index.js' {
  export function RecordBatch(batch: object): Promise<{ readonly buffer: Uint8Array }>;
}

declare module 'kafkajs/src/protocol/recordBatch/record/v0/index.js' {
  export default function record(fields: object): unknown;
}

declare module 'kafkajs/src/utils/long.js' {
  const Long: { fromValue(value: number): object };
  export default Long;
}
