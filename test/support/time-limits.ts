/**
 * How long a test waits before it calls something hung. None is a judgement of speed: a machine five times slower that does ten other
 * things has to stay below all of them. Each is longer than the one before, so that the innermost tells what hangs.
 *
 * @packageDocumentation
 */

const MINUTE = 60_000;

/** Milliseconds that one request may take of clients under load: a host answers within 30 s that it is busy. */
export const REQUEST_LIMIT = MINUTE;
/** Milliseconds until something has come about that a test waits for. */
export const WAIT_LIMIT = 5 * MINUTE;
/** Milliseconds that one command, or the start of a host, may take. */
export const COMMAND_LIMIT = 8 * MINUTE;
/** Milliseconds that a test or a hook may take, or one round of a test that has as many as it is told to. */
export const TEST_LIMIT = 20 * MINUTE;

/** Waits for a round of a test whose length nobody knows. @throws Error that names it, if it hangs. */
export async function withinLimit<Value>(what: string, round: Promise<Value>, limit = TEST_LIMIT): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} hangs: no end within ${limit} ms`)), limit);
  try {
    return await Promise.race([round, promise]);
  } finally {
    clearTimeout(timer);
  }
}
