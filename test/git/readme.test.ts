/**
 * The README's commands, run as they stand there. A block marked `sh test` runs in a repository of the reader's; one marked
 * `sh test project` in the project. Only the port differs.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GitSandbox } from "../support/git-client.ts";
import { PROJECT, startProject, type StartedHost } from "../support/git-process.ts";

const BLOCK = /^```sh test( project)?\n([\s\S]*?)^```/gm;
const text = readFileSync(join(PROJECT, "README.md"), "utf8");
const blocks = [...text.matchAll(BLOCK)].map(([, project, commands = ""]) => ({
  commands: commands.trim(),
  inProject: project !== undefined,
}));

describe("README", () => {
  const git = new GitSandbox("readme");
  let host: StartedHost | undefined;
  let cwd = "";

  beforeAll(async () => {
    cwd = await git.init("yours");
    await git.commit(cwd, "hello.txt", "hello\n");
    host = await startProject(git.path("state"), "secret");
  });
  afterAll(async () => {
    await host?.stop();
    git.close();
    rmSync(join(PROJECT, "build", "widgets.git"), { recursive: true, force: true });
  });

  it("has commands to run", () => {
    expect(blocks.length).toBeGreaterThanOrEqual(4);
  });

  it.each(blocks)("$commands", async ({ commands, inProject }) => {
    const script = commands.replaceAll("localhost:8787", new URL(host?.base ?? "").host);
    const child = spawn("bash", ["-euc", script], {
      cwd: inProject ? PROJECT : cwd,
      env: git.environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (piece: Buffer) => (output += piece.toString()));
    const [code] = await once(child, "close");
    expect(output).not.toContain("fatal:");
    expect(code).toBe(0);
  });

  it("leaves what it promised", async () => {
    expect(await git.ok(["rev-parse", "HEAD"], { cwd: join(cwd, "widgets") })).toBe(
      await git.ok(["rev-parse", "HEAD"], { cwd }),
    );
    await git.fsck(join(PROJECT, "build", "widgets.git"));
  });
});
