/**
 * Where the Worker's bundle of this run is. The bundle is made once before the first host, and every host of the run takes it.
 *
 * @packageDocumentation
 */

/** The variable that tells test files, which are processes of their own. */
export const SHARED_BUNDLE = "THINPACK_TEST_BUNDLE";

/** Returns the bundle's file, or `undefined` outside of vitest. */
export function sharedBundle(): string | undefined {
  return process.env[SHARED_BUNDLE];
}
