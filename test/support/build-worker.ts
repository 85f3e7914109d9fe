/**
 * Bundles the Worker once for all hosts of a run. To bundle it takes as much processor time as to start a host.
 *
 * @packageDocumentation
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { bundleWorker, WORKER_ENTRY } from "../../scripts/worker-bundle.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { SHARED_BUNDLE } from "./shared-bundle.ts";

async function buildInto(directory: string): Promise<void> {
  const file = join(directory, "worker.js");
  writeFileSync(file, await bundleWorker(WORKER_ENTRY, `${file}.map`));
  process.env[SHARED_BUNDLE] = file;
}

/** Vitest's hook: runs once per project, and builds once per run; in watch mode again before each rerun. */
export async function setup(project: TestProject): Promise<void> {
  if (process.env[SHARED_BUNDLE] !== undefined) return;
  const directory = scratchDirectory();
  await buildInto(directory);
  project.onTestsRerun(async () => await buildInto(directory));
}
