/** Disks write whole sectors: of a write that a power loss interrupted, some may be missing in the middle. */
const SECTOR_BYTES = 512;

/**
 * Whether a sector within `bytes` (which are at `filePosition`) was never written: a file that was only ever appended to
 * reads zeros there.
 */
export function hasUnwrittenSector(bytes: Uint8Array, filePosition: number): boolean {
  for (let start = 0; start < bytes.length; ) {
    const end = start + SECTOR_BYTES - ((filePosition + start) % SECTOR_BYTES);
    if (end > bytes.length) return false;
    if (bytes.subarray(start, end).every((byte) => byte === 0)) return true;
    start = end;
  }
  return false;
}
