import type { Logger } from './ports.ts';

/** The CRC-32C of `bytes[start, end)`, carrying on from the sum `before`. */
type Crc32c = (bytes: Uint8Array, start: number, end: number, before: number) => number;

/** Below this, calling into native code costs more than the sum itself in JavaScript (measured: even at 256). */
const NATIVE_BYTES_MIN = 256;
/** The check value of CRC-32C: the sum of the text `123456789`. */
const CHECK_TEXT = '123456789';
const CHECK_SUM = 0xe3069283;

/**
 * Hands the native CRC-32C, which is several times faster for whole batches, to `install` (`setCrc32c` of the
 * protocol layer). Where there is none for this machine, or it gives wrong sums, `js` stays in use.
 */
export async function installNativeCrc32c(
  { js, install }: { readonly js: Crc32c; readonly install: (crc32c: Crc32c) => void },
  logger: Logger,
): Promise<void> {
  try {
    const { crc32c } = await import('@node-rs/crc32');
    if (crc32c(CHECK_TEXT) !== CHECK_SUM) throw new Error('the native CRC-32C gives wrong sums');
    install((bytes, start, end, before) =>
      end - start < NATIVE_BYTES_MIN
        ? js(bytes, start, end, before)
        : crc32c(bytes.subarray(start, end), before),
    );
  } catch (err) {
    logger.debug({ err }, 'CRC-32C is computed in JavaScript, which is slower');
  }
}
