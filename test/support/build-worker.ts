/**
 * Bundles the Worker once for all hosts of a run. To bundle it takes as much processor time as to start a host.
 *
 * @packageDocumentation
 */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { bundleWorker, WORKER_ENTRY } from "../../scripts/worker-bundle.mjs";
import { scratchDirectory } from "./scratch-directory.ts";
import { bundleIn, type BundleName, SHARED_BUNDLES } from "./shared-bundle.ts";

const ENTRIES: Record<BundleName, string> = {
  deployed: WORKER_ENTRY,
  observed: join(dirname(fileURLToPath(import.meta.url)), "..", "worker", "observed-entry.ts"),
};

async function buildInto(directory: string): Promise<void> {
  for (const name of ["deployed", "observed"] as const) {
    const bundle = bundleIn(directory, name);
    mkdirSync(bundle, { recursive: true });
    await bundleWorker(ENTRIES[name], bundle);
  }
  process.env[SHARED_BUNDLES] = directory;
}

/** Vitest's hook: runs once per project, and builds once per run; in watch mode again before each rerun. */
export async function setup(project: TestProject): Promise<void> {
  if (process.env[SHARED_BUNDLES] !== undefined) return;
  const directory = scratchDirectory();
  await buildInto(directory);
  project.onTestsRerun(async () => await buildInto(directory));
}
