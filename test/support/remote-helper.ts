/**
 * Git's helper for `thinpack::` addresses, as the command's package installs it.
 *
 * @packageDocumentation
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildCommand } from "../../scripts/build-command.mjs";

const BUNDLE = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "build", "git-remote-thinpack.cjs");

/** Makes a directory for PATH in which git finds the helper. */
export async function remoteHelper(directory: string): Promise<string> {
  await buildCommand();
  mkdirSync(directory, { recursive: true });
  const script = `#!/bin/sh\nexec '${process.execPath}' '${BUNDLE}' "$@"\n`;
  writeFileSync(join(directory, "git-remote-thinpack"), script, { mode: 0o755 });
  return directory;
}
