import { OLDEST_CATALOGUE_VERSION } from '../catalogue-version.ts';
import { api, array, bool, int16, int32, int64, string, struct, uuid } from '../schema.ts';

/** A starting node asks what another knows of the quorum; an observer registers for entries by it. */
export const QuorumHello = api({
  key: 10002,
  name: 'QuorumHello',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    clusterId: string().nullable(),
    nodeId: int32(),
    directoryId: uuid(),
    /** The sender follows the log without a vote and asks to be sent its entries. */
    observe: bool(),
    lastIndex: int64(),
    /** Where the sender is reached: it may have moved, and then nobody else can tell it who leads. */
    host: string().sinceCatalogue(3, { ignorable: true }).optional(),
    port: int32().sinceCatalogue(3, { ignorable: true }).optional(),
    /** What the sender can read. A cluster whose level is above it refuses it with UNSUPPORTED_VERSION. */
    catalogueVersion: int32().default(OLDEST_CATALOGUE_VERSION).sinceCatalogue(3, { ignorable: true }),
  }),
  response: struct({
    errorCode: int16(),
    nodeId: int32(),
    directoryId: uuid(),
    /** null: blank, it belongs to no cluster yet. */
    clusterId: string().nullable(),
    voters: array(
      struct({
        id: int32(),
        directoryId: uuid(),
        host: string().sinceCatalogue(3, { ignorable: true }),
        port: int32().sinceCatalogue(3, { ignorable: true }),
      }),
    ),
    leaderId: int32().default(-1),
    epoch: int32(),
  }),
});
