/**
 * Streams bytes of a stored pack to a client.
 *
 * @packageDocumentation
 */
import type { PackHandle } from "../store/pack-handle.ts";

/** What is read of a body at once: the size of four full side-band packets, so that one read is one write. Bytes. */
export const SIDE_BAND_PIECE_BYTES = 4 * 65_515;

/** A range of bytes in a stored pack. */
export type StoredRun = { readonly offset: number; readonly length: number };

/**
 * Reads a run as one storage operation and writes it piece by piece. `write` may keep a piece until its promise
 * settles.
 */
export async function streamRun(
  pack: PackHandle,
  run: StoredRun,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  if (run.length === 0) return;
  const stream = await pack.openRun(run.offset, run.length);
  try {
    let buffer = new Uint8Array(SIDE_BAND_PIECE_BYTES);
    for (;;) {
      const bytes = await stream.read(buffer);
      if (bytes.length === 0) return;
      await write(bytes);
      buffer = new Uint8Array(bytes.buffer);
    }
  } finally {
    await stream.cancel();
  }
}
