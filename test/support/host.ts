/**
 * The whole host inside a test, on a free port and with a state directory of its own.
 *
 * @packageDocumentation
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HostOptions, type RunningHost, startHost } from "../../scripts/host.ts";
import { sharedBundle } from "./shared-bundle.ts";

/** What tests look for in the bucket is there once they have pushed, unless they ask for the deployed host's `60`. */
export const PUBLISHED_AT_ONCE = process.env["PUBLISH_AFTER"] ?? "0";

/** What a host in a test may be given besides. */
export type TestHostOptions = Partial<HostOptions> & {
  /** Whether a test puts its clock forward: see `HostClock`. */
  readonly hasClock?: boolean;
};

/** Starts a host; `stop` also removes its state, where none was given. */
export async function startTestHost({ hasClock = false, ...options }: TestHostOptions = {}): Promise<RunningHost> {
  const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), "thinpack-"));
  const bundle = options.entry === undefined ? sharedBundle(hasClock ? "observed" : "deployed") : undefined;
  const shared = bundle === undefined ? {} : { bundle };
  const host = await startHost({
    adminToken: "test-token",
    publishAfter: PUBLISHED_AT_ONCE,
    ...shared,
    ...options,
    stateDir,
  });
  return {
    ...host,
    stop: async () => {
      await host.stop();
      if (options.stateDir === undefined) rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
