#!/usr/bin/env node
// The command. Plain JavaScript: it runs on the system's Node. In a clone it first makes the bundle that an installed package comes
// with; everything but the command's own answer goes to standard error, which scripts and git leave alone.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const scripts = dirname(fileURLToPath(import.meta.url));
if (existsSync(join(scripts, "thinpack"))) {
  const { ensureInstalled } = await import("./ensure-install.mjs");
  await ensureInstalled(false);
  const { buildCommand } = await import("./build-command.mjs");
  await buildCommand();
}
createRequire(import.meta.url)(join(scripts, "..", "build", "thinpack.cjs"));
