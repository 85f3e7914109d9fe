/**
 * Reads a body of bounded size as text.
 *
 * @packageDocumentation
 */
import { Problem } from "./problem.ts";

/** Bytes of a refused body that are read all the same, and how many at once. */
const MOST_DRAINED = 16 * 1024 * 1024;
const DRAINED_AT_ONCE = 65_536;
/** How long a refused body is waited for, in milliseconds. */
const DRAINING_TIME = 10_000;

/**
 * Reads the rest of a refused body and drops it, so that its sender hears the answer: a client that is still writing
 * when the connection is closed sees only that. A body that goes on for too long is left.
 */
export async function drainBody({ body }: Request): Promise<void> {
  if (body === null || body.locked) return;
  const reader = body.getReader({ mode: "byob" });
  const signal = AbortSignal.timeout(DRAINING_TIME);
  signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
  try {
    let buffer = new ArrayBuffer(DRAINED_AT_ONCE);
    for (let drained = 0; drained < MOST_DRAINED && !signal.aborted;) {
      const { value, done } = await reader.readAtLeast(DRAINED_AT_ONCE, new Uint8Array(buffer));
      if (value === undefined || done) return;
      drained += value.byteLength;
      buffer = value.buffer;
    }
  } catch {
    // The client has gone.
  }
}

/**
 * Returns a request's body, which may have at most `most` bytes. No body counts as an empty text.
 *
 * @throws Problem if the body is larger, or not UTF-8.
 */
export async function readBodyText(request: Request, most: number): Promise<string> {
  const tooLarge = new Problem(413, `A request's body may have ${most} bytes.`);
  // Without the header the body itself is measured.
  if (Number(request.headers.get("Content-Length") ?? 0) > most) throw tooLarge;
  if (request.body === null) return "";
  const reader = request.body.getReader({ mode: "byob" });
  // One byte more than allowed, to see whether there is more.
  const { value } = await reader.readAtLeast(most + 1, new Uint8Array(most + 1));
  reader.releaseLock();
  if (value === undefined) return "";
  if (value.byteLength > most) throw tooLarge;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(value);
  } catch (cause) {
    throw new Problem(400, "The body is not JSON: it is not UTF-8.", {}, { cause });
  }
}
