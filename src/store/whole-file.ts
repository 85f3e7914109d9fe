/**
 * Looks whether a file that was read whole is what was written: its last bytes are the checksum of those before.
 *
 * @packageDocumentation
 */
import { equal } from "../bytes/chunk.ts";
import { CorruptStore } from "../bytes/failure.ts";
import type { ReadingTools } from "./pack-place.ts";

/** The files that were looked at. They are shared by all requests for as long as the isolate's cache has them. */
const sound = new WeakSet<Uint8Array>();

/** Checks a whole file, once for as long as it stays in memory. @throws CorruptStore if it does not end with its checksum. */
export function assertSound(bytes: Uint8Array, { format, hash }: Pick<ReadingTools, "format" | "hash">): void {
  if (sound.has(bytes)) return;
  const end = bytes.length - format.rawSize;
  const running = hash(format.name);
  running.update(bytes.subarray(0, Math.max(0, end)));
  if (end < 0 || !equal(bytes.subarray(end), running.digest())) throw new CorruptStore("a file has a wrong checksum");
  sound.add(bytes);
}
