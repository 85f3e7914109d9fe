/** git://: what anybody may read, by TCP, with the real client and with hostile ones. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { RequestLog } from "../../scripts/bench/request-log.ts";
import type { RunningHost } from "../../scripts/host.ts";
import { encodePktLine } from "../../src/wire/pkt-line.ts";
import { GitSandbox, refsAt, refsOf, withToken } from "../support/git-client.ts";
import { everything, importFixture, linear, noise } from "../support/git-fixtures.ts";
import { send } from "../support/git-raw.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const git = new GitSandbox("daemon");
let host: RunningHost;
let source = "";
/** A repository of git://, by its name. */
const at = (path: string): string => `git://127.0.0.1:${host.gitPort ?? 0}/${path}.git`;
const overHttp = (path: string): string => withToken(`${host.base}/${path}.git`, host.token);

async function create(path: string, visibility: "public" | "private"): Promise<void> {
  await send(withToken(`${host.base}/api/v1/repos/${path}`, host.token), {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: Buffer.from(JSON.stringify({ visibility })),
  });
}

beforeAll(async () => {
  host = await startTestHost({ gitPort: 0 });
  source = await importFixture(git, "source", everything());
  await create("acme/everything", "public");
  await git.ok(["push", "-q", "--mirror", overHttp("acme/everything")], { cwd: source });
  await create("acme/secret", "private");
  await git.ok(["push", "-q", overHttp("acme/secret"), "main"], { cwd: source });
});
afterAll(async () => {
  await host.stop();
  git.close();
});

/** Opens a connection, and gathers what comes until the host closes it. */
function raw(): { readonly socket: Socket; readonly ended: Promise<string> } {
  const socket = connect(host.gitPort ?? 0, "127.0.0.1");
  const pieces: Buffer[] = [];
  const ended = new Promise<string>((resolve) => {
    socket.on("data", (piece: Buffer) => pieces.push(piece));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(Buffer.concat(pieces).toString()));
  });
  return { socket, ended };
}

describe.each(["0", "1", "2"])("git:// in version %s", (version) => {
  const speak = ["-c", `protocol.version=${version}`];

  it("clones everything, and fetches what was pushed since in several rounds", async () => {
    const copy = git.fresh();
    await git.ok([...speak, "clone", "-q", "--mirror", at("acme/everything"), copy]);
    await git.fsck(copy);
    expect(await refsOf(git, copy)).toEqual(await refsOf(git, source));
    const path = `acme/rounds-${version}`;
    await create(path, "public");
    const work = git.fresh();
    await git.ok(["clone", "-q", await importFixture(git, "linear", linear(3)), work]);
    await git.ok(["push", "-q", overHttp(path), "HEAD:refs/heads/main"], { cwd: work });
    const follower = git.fresh();
    await git.ok([...speak, "clone", "-q", at(path), follower]);
    // Commits that the host does not have make the client ask several times.
    await git.ok(["commit-tree", "-m", "root", "HEAD^{tree}"], { cwd: follower });
    for (let count = 0; count < 40; count++) await git.commit(follower, "own.txt", `${count}\n`);
    const tip = await git.commit(work, "new.txt", "new\n");
    await git.ok(["push", "-q", overHttp(path), "HEAD:refs/heads/main"], { cwd: work });
    await git.ok([...speak, "fetch", "-q", "origin"], { cwd: follower });
    expect(await git.ok(["rev-parse", "origin/main"], { cwd: follower })).toBe(tip);
    await git.fsck(follower);
  });

  it("makes shallow clones and deepens them, and partial ones", async () => {
    const shallow = git.fresh();
    await git.ok([...speak, "clone", "-q", "--depth=1", "--no-single-branch", at("acme/everything"), shallow]);
    expect(await git.ok(["rev-list", "--count", "HEAD"], { cwd: shallow })).toBe("1");
    await git.ok([...speak, "fetch", "-q", "--unshallow"], { cwd: shallow });
    await git.fsck(shallow);
    const partial = git.fresh();
    await git.ok([...speak, "clone", "-q", "--filter=blob:none", at("acme/everything"), partial]);
    await git.ok([...speak, "cat-file", "--batch-check", "--batch-all-objects"], { cwd: partial });
    expect(await git.ok(["status", "--short"], { cwd: partial })).toBe("");
  });
});

describe("git://", () => {
  it("says the same of what is private and of what is not there, and takes no push", async () => {
    for (const path of ["acme/secret", "acme/missing", "nobody/missing"]) {
      const { code, stderr } = await git.git(["ls-remote", at(path)]);
      expect(code).not.toBe(0);
      expect(stderr).toContain(`remote error: access denied or repository not exported: /${path}.git`);
    }
    const { stderr } = await git.git(["push", at("acme/everything"), "main:other"], { cwd: source });
    expect(stderr).toContain("remote error: service not enabled: 'git-receive-pack'");
    expect(await refsAt(git, overHttp("acme/everything"))).toEqual(await refsOf(git, source));
  });

  it.each([
    ["a line that is no request", "0009hello", "invalid request"],
    ["a length that no line has", "zzzzgit-upload-pack /acme/everything.git\0", ""],
    ["a longer line than there may be", `fff1${"x".repeat(100)}`, ""],
    ["a path of three names", "001fgit-upload-pack /a/b/c.git\0", "There is no repository at such an address."],
  ])("tells %s off, and closes", async (_, sent, said) => {
    const { socket, ended } = raw();
    socket.write(sent);
    expect(await ended).toContain(said);
  });

  it("ends clients that send no whole line or hang up, and serves others meanwhile", async () => {
    const { socket, ended } = raw();
    socket.write("003agit-upl");
    const other = raw();
    other.socket.end(encodePktLine("git-upload-pack /acme/everything.git\0host=a\0"));
    expect(await other.ended).toContain("refs/heads/main");
    expect(await refsAt(git, at("acme/everything"))).toEqual(await refsOf(git, source));
    // Nobody waits longer than ten seconds for the first line.
    expect(await ended).toContain("nothing was asked for");
  });

  it("counts a client that leaves in the middle of a clone as one that left, and not as a fault", async () => {
    const work = git.fresh();
    await git.ok(["init", "-q", "-b", "main", work]);
    const tip = await git.commit(work, "large.bin", Buffer.from(noise(6_000_000, 1)).toString("hex"));
    await create("acme/large", "public");
    await git.ok(["push", "-q", overHttp("acme/large"), "main"], { cwd: work });
    const log = new RequestLog(join(host.stateDir, "requests.jsonl"));
    const { socket, ended } = raw();
    socket.write(encodePktLine("git-upload-pack /acme/large.git\0host=a\0"));
    await once(socket, "data");
    for (const part of [encodePktLine(`want ${tip}\n`), "0000", encodePktLine("done\n")]) socket.write(part);
    await once(socket, "data");
    socket.destroy();
    await ended;
    const lines: Readonly<Record<string, unknown>>[] = [];
    await vi.waitFor(
      () => {
        lines.push(...log.read().lines.filter(({ method }) => method === "GIT"));
        expect(lines).toHaveLength(1);
      },
      { timeout: WAIT_LIMIT },
    );
    expect(lines[0]).toMatchObject({ path: "/acme/large.git/git-upload-pack", outcome: "gone", status: 200 });
  });
});
