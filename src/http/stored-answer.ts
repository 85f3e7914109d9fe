/**
 * Answers with a stored file. Nothing of it passes through the script: the platform goes on sending it when the script
 * has ended.
 *
 * @packageDocumentation
 */
import type { Traffic } from "./traffic.ts";

/** A stored file, and the bytes that go before it. */
export type StoredBody = {
  readonly body: ReadableStream;
  /** The bytes of `body`. */
  readonly bytes: number;
  readonly before: Uint8Array;
};

/** Counts a file as sent when it is handed over. `until` gets the work that goes on after that. */
export type Handover = {
  readonly traffic: Traffic;
  readonly until: (work: Promise<unknown>) => void;
};

/**
 * Returns the file as the body of an answer. Alone it is the stored stream itself, of which the script hears nothing
 * more. Bytes before it take a stream of the platform's own, into which it copies the file.
 */
export function storedBody({ body, bytes, before }: StoredBody, { traffic, until }: Handover): ReadableStream {
  traffic.send(before.length + bytes);
  if (before.length === 0) return body;
  const { readable, writable } = new FixedLengthStream(before.length + bytes);
  const writer = writable.getWriter();
  const begun = writer.write(before);
  writer.releaseLock();
  const copied = Promise.all([begun, body.pipeTo(writable)]);
  until(copied.catch(() => traffic.breakOff("gone")));
  return readable;
}
