/** `git archive --remote`: what `git archive` makes of the same tree. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { everything, importFixture } from "../support/git-fixtures.ts";
import { send } from "../support/git-raw.ts";
import { startTestHost } from "../support/host.ts";
import { pktBytes } from "../support/pkt.ts";

const git = new GitSandbox("upload-archive");
let host: RunningHost;
let source = "";

beforeAll(async () => {
  host = await startTestHost();
  source = await importFixture(git, "source", everything());
  await git.ok(["push", "-q", "--mirror", withToken(`${host.base}/acme/widgets.git`, host.token)], { cwd: source });
  await git.useWebSockets();
});
afterAll(async () => {
  await host.stop();
  git.close();
});

const remote = (path = "acme/widgets"): string => `--remote=${withToken(`${host.base}/${path}.git`, host.token)}`;

/** Sends a request over HTTP, and gives the bytes of band 1 behind the ACK. */
async function overHttp(...args: string[]): Promise<{ readonly status: number; readonly body: Buffer }> {
  const url = withToken(`${host.base}/acme/widgets.git/git-upload-archive`, host.token);
  return await send(url, {
    method: "POST",
    headers: { "Content-Type": "application/x-git-upload-archive-request" },
    body: Buffer.from(pktBytes(...args.map((text) => `argument ${text}\n`), "0000")),
  });
}

function bandOne(body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = "0008ACK\n0000".length; at < body.length;) {
    const length = Number.parseInt(body.toString("latin1", at, at + 4), 16);
    if (length === 0) break;
    if (body[at + 4] === 1) pieces.push(body.subarray(at + 5, at + length));
    at += length;
  }
  return Buffer.concat(pieces);
}

describe("git archive --remote", () => {
  it("makes the tar that git makes, of all or of some paths, with a prefix", async () => {
    const files = (await git.ok(["ls-tree", "-r", "--name-only", "main"], { cwd: source })).split("\n");
    const [file = ""] = files;
    const directory = files.find((name) => name.includes("/"))?.split("/")[0];
    for (const args of [
      ["main"],
      ["--format=tar", "--prefix=widgets-1/", "HEAD"],
      ["main", file],
      ...(directory === undefined ? [] : [["--prefix=x/", "main", `${directory}/`, file]]),
    ]) {
      const theirs = await git.bytes(["archive", ...args], { cwd: source });
      const ours = await git.bytes(["archive", remote(), ...args]);
      expect({ args, isSame: theirs.equals(ours) }).toEqual({ args, isSame: true });
      const { status, body } = await overHttp(...args);
      expect(status).toBe(200);
      expect({ args, isSame: theirs.equals(bandOne(body)) }).toEqual({ args, isSame: true });
    }
  });

  it("makes zip and tar.gz", async () => {
    const zip = await git.bytes(["archive", remote(), "--format=zip", "main"]);
    expect(zip.subarray(0, 2).toString()).toBe("PK");
    const zipped = await git.bytes(["archive", remote(), "--format=tar.gz", "main"]);
    expect([...zipped.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    expect((await git.ok(["archive", remote(), "--list"])).split("\n")).toEqual(["tar", "tgz", "tar.gz", "zip"]);
  });

  it.each([
    [["nowhere"]],
    [["nowhere:x"]],
    [["main:no/such/directory"]],
    [["main~999"]],
    [["main", "no/such/file"]],
    [["--format=rar", "main"]],
    [["1".repeat(40)]],
  ])("says of %s what git's server says, and its client ends with the same status", async (args) => {
    const { code, stderr } = await git.git(["archive", remote(), ...args]);
    const theirs = await git.git(["archive", `--remote=${source}`, ...args]);
    // The process that serves says it, too, and where it stands is said once more.
    const told = theirs.stderr.split("\n").filter((line) => line.startsWith("remote: fatal:"));
    expect([code, stderr.trim()]).toEqual([1, told.join("\n").trim()]);
    expect([theirs.code, told.length]).toEqual([1, 1]);
    const { status, body } = await overHttp(...args);
    expect([status, body.subarray(0, 12).toString()]).toEqual([200, "0008ACK\n0000"]);
  });

  it.each([
    [["main", "*.txt"], "pathspec '*.txt': only whole paths"],
    [["--prefix=../x/", "main"], "the prefix leads out of the archive"],
    [["--worktree-attributes", "main"], "the option '--worktree-attributes' can't be asked of a host"],
  ])("says why it makes no %s, which git's server does", async (args, why) => {
    const { code, stderr } = await git.git(["archive", remote(), ...args]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`remote: fatal: ${why}`) as string]);
  });

  it("gives nothing that no ref reaches, and nothing to whoever may not read", async () => {
    const cwd = await git.init("gone");
    const gone = await git.commit(cwd, "gone.txt", "gone\n");
    const url = withToken(`${host.base}/acme/widgets.git`, host.token);
    await git.ok(["push", "-q", url, "HEAD:refs/heads/gone"], { cwd });
    expect((await git.bytes(["archive", remote(), gone])).length).toBeGreaterThan(0);
    await git.ok(["push", "-q", url, ":gone"], { cwd });
    expect((await git.git(["archive", remote(), gone])).stderr).toContain(`remote: fatal: no such ref: ${gone}`);
    const answer = await send(`${host.base}/acme/widgets.git/git-upload-archive`, {
      method: "POST",
      headers: { "Content-Type": "application/x-git-upload-archive-request" },
      body: Buffer.from(pktBytes("argument main\n", "0000")),
    });
    expect(answer.status).toBe(401);
  });

  it("refuses what is no request, and one of too many arguments", async () => {
    const many = await overHttp(...Array.from({ length: 65 }, () => "x"));
    expect(many.body.toString()).toContain("ERR Too many options (>63)");
    const url = withToken(`${host.base}/acme/widgets.git/git-upload-archive`, host.token);
    const headers = { "Content-Type": "application/x-git-upload-archive-request" };
    const wrong = await send(url, { method: "POST", headers, body: Buffer.from("0009hello0000") });
    expect(wrong.body.toString()).toContain("ERR 'argument' token or flush expected");
  });
});
