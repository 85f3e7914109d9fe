/** `--help` of scripts that do much: nothing is started, made or asked. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);

it.each([
  ["load", "load.ts", "--clients"],
  ["rehearse", "rehearse-recovery.ts", "--commits"],
  ["deploy", "deploy.ts", "--dry-run"],
])("npm run %s -- --help prints the usage", async (name, file, option) => {
  for (const flag of ["--help", "-h"]) {
    const { stdout, stderr } = await run(process.execPath, [`scripts/${file}`, flag], { env: { PATH: "" } });
    expect(stdout).toMatch(new RegExp(`^Usage: npm run ${name} --`));
    expect(stdout).toContain(option);
    expect(stderr).toBe("");
  }
});
