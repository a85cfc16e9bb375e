/** The pairs of a ring that are no neighbours: cut, everybody still reaches two others. */
export function strangersInRing<T>(ring: readonly T[]): [T, T][] {
  return ring.flatMap((one, index) =>
    ring
      .slice(index + 2)
      // The last one is a neighbour of the first.
      .filter((_, further) => index > 0 || index + 2 + further < ring.length - 1)
      .map((other): [T, T] => [one, other]),
  );
}
