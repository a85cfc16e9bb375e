/** A fragment costs about as much as copying this many bytes: frame header, system call vector, event. */
const COPY_BYTES_MAX = 4 * 1024;
/** A message up to this size travels as one fragment, in one copy. */
const SINGLE_FRAGMENT_BYTES_MAX = 16 * 1024;

/** The number of fragments that a sender which merges small parts may make of a message. */
export function fragmentsMax(messageBytesMax: number): number {
  return 2 * Math.ceil(messageBytesMax / COPY_BYTES_MAX) + 16;
}

/**
 * Merges neighbouring small parts of a message, so that a fetch of a thousand small batches is not a thousand
 * frames. Large parts stay as they are: record batches are not copied.
 */
export function mergeSmallParts(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  if (parts.length === 1) return parts;
  const bytes = totalBytes(parts);
  if (bytes <= SINGLE_FRAGMENT_BYTES_MAX) return [concatenate(parts, bytes)];
  const merged: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = () => {
    if (small.length > 0)
      merged.push(small.length === 1 && small[0] ? small[0] : concatenate(small, totalBytes(small)));
    small = [];
  };
  for (const part of parts) {
    if (part.length === 0) continue;
    if (part.length < COPY_BYTES_MAX) {
      small.push(part);
    } else {
      flush();
      merged.push(part);
    }
  }
  flush();
  return merged;
}

export function totalBytes(parts: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return bytes;
}

/** The parts as one array, in one copy. */
export function concatenate(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}
