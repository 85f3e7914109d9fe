/**
 * Copies from a source that has to send at the least rate.
 *
 * @packageDocumentation
 */
import type { ByteSink, ByteSource } from "../bytes/byte-stream.ts";
import { LeastRate } from "../bytes/least-rate.ts";

/** Bytes that are copied at once. */
const COPIED_BYTES = 128 * 1024;

/** The failure of a source that is slower than the least rate. */
export class SourceTooSlow extends Error {
  override readonly name = "SourceTooSlow";
}

/**
 * Copies a source to its end. `credit` is that of a {@link LeastRate}, in milliseconds. Only the time for which the
 * source is waited for counts.
 *
 * @throws SourceTooSlow
 */
export async function copyAtLeastRate(source: ByteSource, sink: ByteSink, credit: number): Promise<void> {
  const rate = new LeastRate(credit);
  let buffer = new Uint8Array(COPIED_BYTES);
  for (;;) {
    rate.begin();
    const piece = await within(source.read(buffer), rate.left);
    if (piece.length === 0) return;
    rate.end(piece.length);
    await sink.write(piece);
    buffer = new Uint8Array(piece.buffer);
  }
}

/** Awaits a step for this many milliseconds at most. @throws SourceTooSlow */
async function within<T>(step: Promise<T>, milliseconds: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new SourceTooSlow("The source sends too slowly.")), milliseconds);
  try {
    return await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
    // It may still fail once it is given up.
    step.catch(() => undefined);
  }
}
