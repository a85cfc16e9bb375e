import { int32 } from '../schema.ts';

/** Kafka's "nobody asked": the smallest int32. */
const NOT_ASKED = -0x8000_0000;

/** A bit for each operation that the caller may carry out (KIP-430). */
export const authorizedOperations = () => int32().default(NOT_ASKED).optional();
