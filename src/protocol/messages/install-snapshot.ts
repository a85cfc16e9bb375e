import { api, bool, bytes, int16, int32, int64, string, struct, uuid } from '../schema.ts';

/** The quorum leader sends its snapshot, chunk by chunk. Raft 7. */
export const InstallSnapshot = api({
  key: 10001,
  name: 'InstallSnapshot',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    clusterId: string(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    leaderId: int32(),
    leaderEpoch: int32(),
    /** The last entry that the snapshot holds. */
    lastIndex: int64(),
    lastEpoch: int32(),
    position: int64(),
    totalBytes: int64(),
    /** CRC32C of the whole snapshot. */
    crc: int64(),
    chunk: bytes(),
    /** Who votes as of the last entry, as JSON; empty: as ever. */
    voterSet: bytes().sinceCatalogue(3),
  }),
  response: struct({
    errorCode: int16(),
    epoch: int32(),
    /** How many bytes of this snapshot the receiver has: where to go on. */
    nextPosition: int64(),
    installed: bool(),
  }),
});
