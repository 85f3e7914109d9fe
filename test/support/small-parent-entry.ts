/**
 * A small process that runs programs for a test's process, one after the other, and ends with it: see `small-parent.ts`.
 *
 * @packageDocumentation
 */
import { spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import { receiveFrom, sendTo } from "./framed-values.ts";
import type { SmallRun } from "./small-parent.ts";

const MOST_OUTPUT = 1 << 29;

const [, , asks = "", answers = ""] = process.argv;
const [from, to] = [openSync(asks, "r"), openSync(answers, "w")];
for (let asked = receiveFrom(from); asked !== undefined; asked = receiveFrom(from)) {
  const { program, args, cwd, env, input = "" } = asked as SmallRun;
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env,
    input,
    stdio: "pipe",
    maxBuffer: MOST_OUTPUT,
  });
  sendTo(to, error === undefined ? { status, stdout, stderr } : { failed: error.message });
}
