/** A directory near the limit of what is held whole, read by many at once beside clients that read slowly. */
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient } from "../support/api-client.ts";
import { GitSandbox, refsAt, withToken } from "../support/git-client.ts";
import { FixtureStream, importFixture, noise } from "../support/git-fixtures.ts";
import { pkt } from "../support/git-raw.ts";
import { startTestHost } from "../support/host.ts";

const FILES = 80_000;
const READERS = 3;
const CLONES = 5;
const PUSHES = 5;
const ARCHIVES = 5;
/** Bytes of an archive that are read before its client leaves. */
const READ = 1_000_000;

let host: RunningHost;
let git: GitSandbox;
let source: string;
const sockets: Socket[] = [];
const remote = (name: string): string => withToken(`${host.base}/acme/${name}.git`, "test-token");

/**
 * Makes a branch `main` of a directory of 80,000 files and a change in it, and one branch for each push that adds a file.
 * `git fast-import` looks through all entries for each one that it adds, so it would take a minute.
 */
async function wideDirectory(): Promise<string> {
  const cwd = await git.init("wide", "--bare");
  const [blob, other] = await Promise.all(
    ["a\n", "b\n"].map((input) => git.ok(["hash-object", "-w", "--stdin"], { cwd, input })),
  );
  const lines = Array.from({ length: FILES }, (_, at) => `100644 blob ${blob}\tfile-${String(at).padStart(12, "0")}`);
  const commit = async (branch: string, changed: string, ...parents: string[]): Promise<string> => {
    const input = `${[...lines, changed].join("\n")}\n`;
    const tree = await git.ok(["mktree", "--missing"], { cwd, input });
    const from = parents.flatMap((parent) => ["-p", parent]);
    const tip = await git.ok(["commit-tree", "-m", branch, ...from, tree], { cwd });
    await git.ok(["update-ref", `refs/heads/${branch}`, tip], { cwd });
    return tip;
  };
  const first = await commit("main", `100644 blob ${blob}\tlast`);
  const tip = await commit("main", `100644 blob ${other}\tlast`, first);
  for (let at = 0; at < PUSHES; at++) await commit(`push${at}`, `100644 blob ${other}\tnew-${at}`, tip);
  return cwd;
}

/** A history whose fetch fills the buffers of a client that does not read. */
function longHistory(): FixtureStream {
  const stream = new FixtureStream();
  for (let at = 0; at < 300; at++) {
    stream.commit("refs/heads/main", [{ path: `f${at % 7}`, content: noise(60_000, at + 1) }]);
    if (at === 290) stream.raw("reset refs/heads/older\nfrom refs/heads/main\n");
  }
  return stream;
}

/** Asks for most of the long history, and reads nothing of it. */
async function readSlowly(older: string): Promise<void> {
  const { hostname, port } = new URL(host.base);
  const socket = connect({ host: hostname, port: Number(port) });
  sockets.push(socket);
  socket.on("error", () => undefined);
  socket.pause();
  const lines = [`want ${older}\n`, "ofs-delta\n", "done\n"].map((line) => pkt(line));
  const body = Buffer.concat([pkt("command=fetch\n"), Buffer.from("0001"), ...lines, Buffer.from("0000")]);
  const head = [
    "POST /acme/long.git/git-upload-pack HTTP/1.1",
    `Host: ${hostname}`,
    `Authorization: Basic ${Buffer.from("git:test-token").toString("base64")}`,
    "Git-Protocol: version=2",
    "Content-Type: application/x-git-upload-pack-request",
    `Content-Length: ${body.length}`,
  ];
  await new Promise<void>((resolve) => {
    socket.write(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]), () => resolve());
  });
}

/** Returns the status of an archive's response, and how many bytes of it were read. */
async function archive(): Promise<{ readonly status: number; readonly bytes: number }> {
  const headers = { Authorization: "Bearer test-token" };
  const answer = await fetch(`${host.base}/api/v1/repos/acme/wide/archive/main.tar`, { headers });
  let bytes = 0;
  for await (const piece of answer.body ?? []) {
    bytes += piece.length;
    // Leaving the loop ends the transfer.
    if (bytes >= READ) break;
  }
  return { status: answer.status, bytes };
}

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("large-trees");
  const operator = apiClient(host.base, "test-token");
  for (const name of ["wide", "long"]) await operator("PUT", `/repos/acme/${name}`);
  source = await wideDirectory();
  await git.ok(["push", "-q", remote("wide"), "main"], { cwd: source });
  const long = await importFixture(git, "long", longHistory());
  await git.ok(["push", "-q", remote("long"), "main", "older"], { cwd: long });
  const older = await git.ok(["rev-parse", "older"], { cwd: long });
  await Promise.all(Array.from({ length: READERS }, () => readSlowly(older)));
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await host.stop();
  git.close();
});

it("a directory of 80,000 files is cloned, pushed and archived by many at once, beside slow readers", async () => {
  expect(Number(await git.ok(["cat-file", "-s", "main^{tree}"], { cwd: source }))).toBeGreaterThan(3_500_000);
  const copies = Array.from({ length: CLONES }, () => git.fresh("copy"));
  const clones = copies.map(async (copy) => {
    return await git.git(["clone", "-q", "--bare", "--depth", "1", remote("wide"), copy]);
  });
  const pushes = Array.from({ length: PUSHES }, async (_, at) => {
    return await git.git(["push", "-q", remote("wide"), `push${at}`], { cwd: source });
  });
  const archives = Array.from({ length: ARCHIVES }, async () => await archive());
  const done = { code: 0, stderr: "" };
  expect(await Promise.all(clones)).toMatchObject(copies.map(() => done));
  expect(await Promise.all(pushes)).toMatchObject(Array.from({ length: PUSHES }, () => done));
  for (const { status, bytes } of await Promise.all(archives)) {
    expect(status).toBe(200);
    expect(bytes).toBeGreaterThanOrEqual(READ);
  }
  const refs = (await git.ok(["for-each-ref", "--format=%(refname) %(objectname)"], { cwd: source })).split("\n");
  expect(await refsAt(git, remote("wide"))).toEqual(refs);
  const tree = await git.ok(["rev-parse", "main^{tree}"], { cwd: source });
  for (const copy of copies) expect(await git.ok(["rev-parse", "HEAD^{tree}"], { cwd: copy })).toBe(tree);
  await git.fsck(copies[0] ?? "");
});
