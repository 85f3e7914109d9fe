#!/usr/bin/env node
// Git's helper for `thinpack::https://…`, from a clone. Plain JavaScript: it runs on the system's Node. It first makes the bundle that an
// installed package comes with; everything but what git is told goes to standard error.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildCommand } from "./build-command.mjs";
import { ensureInstalled } from "./ensure-install.mjs";

const scripts = dirname(fileURLToPath(import.meta.url));
await ensureInstalled(false);
await buildCommand();
createRequire(import.meta.url)(join(scripts, "..", "build", "git-remote-thinpack.cjs"));
