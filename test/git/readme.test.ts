/**
 * The README's commands, run as they stand there. The block marked `sh test start` is the host that the others talk to; one marked
 * `sh test` runs in a repository of the reader's, one marked `sh test project` in the project. Only the port differs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processTree } from "../../scripts/bench/process-time.ts";
import { GitSandbox } from "../support/git-client.ts";
import { PROJECT, waitForLine } from "../support/git-process.ts";

const BLOCK = /^```sh test( project| start)?\n([\s\S]*?)^```/gm;
const text = readFileSync(join(PROJECT, "README.md"), "utf8");
const found = [...text.matchAll(BLOCK)].map(([, where = "", commands = ""]) => ({
  commands: commands.trim(),
  where: where.trim(),
}));
const starting = found.find(({ where }) => where === "start");
const blocks = found.filter(({ where }) => where !== "start");

/** Ends a host that npm and a shell stand before: its own processes are told, the others follow. */
async function stop(shell: ChildProcess): Promise<void> {
  const ended = once(shell, "exit");
  for (const pid of processTree(shell.pid ?? 0).toReversed()) process.kill(pid, "SIGTERM");
  await ended;
}

describe("README", () => {
  const git = new GitSandbox("readme");
  let host: ChildProcess | undefined;
  let ready = "";
  let cwd = "";

  beforeAll(async () => {
    // An export into what an interrupted run left would be refused.
    rmSync(join(PROJECT, "build", "widgets.git"), { recursive: true, force: true });
    cwd = await git.init("yours");
    await git.commit(cwd, "hello.txt", "hello\n");
    host = spawn("bash", ["-euc", starting?.commands ?? ""], {
      cwd: PROJECT,
      env: { ...process.env, PORT: "0", STATE_DIR: git.path("state") },
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (host.stdout === null) throw new Error("no output to wait for");
    ready = await waitForLine(createInterface({ input: host.stdout }), "ready", host);
  });
  afterAll(async () => {
    if (host !== undefined) await stop(host);
    git.close();
    rmSync(join(PROJECT, "build", "widgets.git"), { recursive: true, force: true });
  });

  it("has commands to run", () => {
    expect(starting?.commands).toBe("ADMIN_TOKEN=secret npm start");
    expect(ready).toMatch(/^http:\/\/localhost:[1-9]\d+$/);
    expect(blocks.length).toBeGreaterThanOrEqual(4);
  });

  it.each(blocks)("$commands", async ({ commands, where }) => {
    const script = commands.replaceAll("localhost:8787", new URL(ready).host);
    const child = spawn("bash", ["-euc", script], {
      cwd: where === "project" ? PROJECT : cwd,
      // What is installed for the whole machine goes to the sandbox.
      env: git.environment({ npm_config_prefix: git.path("npm") }),
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
    expect(existsSync(git.path("npm", "bin", "thinpack"))).toBe(true);
    expect(await git.ok(["rev-parse", "HEAD"], { cwd: join(cwd, "widgets") })).toBe(
      await git.ok(["rev-parse", "HEAD"], { cwd }),
    );
    await git.fsck(join(PROJECT, "build", "widgets.git"));
  });
});
