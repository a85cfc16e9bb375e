/**
 * The release of the catalogue: which APIs, fields, metadata records and entries of the quorum's log there are. Raised
 * once per release that adds any; what is added says since when it exists. See docs/protocol.md.
 */
export const CATALOGUE_VERSION = 3;

/** The oldest release that this one works beside; what does not say since when it exists always did. */
export const OLDEST_CATALOGUE_VERSION = 2;

/** What two nodes speak with each other. Whoever names a release that none of ours works beside gets the words of the oldest. */
export function agreedVersion(own: number, theirs: number): number {
  return Math.max(OLDEST_CATALOGUE_VERSION, Math.min(own, theirs));
}
