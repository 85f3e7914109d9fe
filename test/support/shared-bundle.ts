/**
 * Where the Worker's bundles of this run are. Each is made once before the first host, and every host of the run takes one.
 *
 * @packageDocumentation
 */
import { join } from "node:path";

/** The variable that tells test files, which are processes of their own, the directory. */
export const SHARED_BUNDLES = "THINPACK_TEST_BUNDLES";

/** The Worker as it is deployed, and the one with a clock for tests. */
export type BundleName = "deployed" | "observed";

/** Returns a bundle's directory, or `undefined` outside of vitest. */
export function sharedBundle(name: BundleName): string | undefined {
  const directory = process.env[SHARED_BUNDLES];
  return directory === undefined ? undefined : bundleIn(directory, name);
}

/** Returns the place of a bundle in the directory of bundles. */
export function bundleIn(directory: string, name: BundleName): string {
  return join(directory, name);
}
