/**
 * How long a test waits before it calls something hung. None is a judgement of speed: a machine five times slower that does ten other
 * things has to stay below all of them. Each is longer than the one before, so that the innermost tells what hangs.
 *
 * @packageDocumentation
 */

const MINUTE = 60_000;

/** Milliseconds until something has come about that a test waits for. */
export const WAIT_LIMIT = 5 * MINUTE;
/** Milliseconds that one command, or the start of a host, may take. */
export const COMMAND_LIMIT = 8 * MINUTE;
/** Milliseconds that a test or a hook may take. */
export const TEST_LIMIT = 20 * MINUTE;
