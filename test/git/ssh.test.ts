/**
 * Git by SSH, with the stock clients of both: what a key may do, and when it may no more.
 *
 * @packageDocumentation
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { MOST_STRANGERS_OF_ONE } from "../../src/doors/doorkeeper.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { JGIT_CLASSPATH } from "../support/clients/jgit.ts";
import { runProgram } from "../support/clients/git-client-program.ts";
import { type GitResult, GitSandbox, refsOf, withToken } from "../support/git-client.ts";
import { everything, importFixture, noise, project } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { type ClientKey, makeClientKey, sshOptions } from "../support/ssh-bed.ts";
import { COMMAND_LIMIT, WAIT_LIMIT } from "../support/time-limits.ts";

const CLIENTS = join(import.meta.dirname, "..", "support", "clients");
const git = new GitSandbox("ssh");
let host: RunningHost;
let operator: ApiClient;
let source = "";
let owner: ClientKey;
let stranger: ClientKey;

const urlOf = (repo: string): string => `ssh://git@localhost:${host.sshPort ?? 0}/acme/${repo}.git`;
/** The environment in which git uses one key. */
const using = (key: ClientKey, ...options: string[]): Record<string, string> => ({
  GIT_SSH_COMMAND: ["ssh", ...sshOptions(key), ...options].join(" "),
  GIT_LFS_SKIP_SMUDGE: "0",
});

/** Runs git with a key. */
const as = (key: ClientKey, args: readonly string[], cwd = git.directory): Promise<GitResult> =>
  git.git(args, { cwd, env: using(key) });

/** Runs ssh with a key. */
function ssh(
  key: ClientKey,
  ...command: string[]
): { readonly status: number | null; readonly stderr: string; readonly stdout: string } {
  const args = [...sshOptions(key), "-p", `${host.sshPort ?? 0}`, "git@localhost", ...command];
  return spawnSync("ssh", args, { encoding: "utf8", input: "", timeout: COMMAND_LIMIT });
}

async function register(key: ClientKey, scopes: readonly string[], more: object = {}): Promise<string> {
  const made = await operator("POST", "/tenants/acme/ssh-keys", { name: "a key", key: key.publicKey, scopes, ...more });
  expect([made.status, made.body["fingerprint"]]).toEqual([201, key.fingerprint]);
  return String(made.body["id"]);
}

async function deploy(repo: string, key: ClientKey, write: boolean): Promise<string> {
  const made = await operator("POST", `/repos/acme/${repo}/deploy-keys`, {
    name: "a server",
    key: key.publicKey,
    write,
  });
  expect(made).toMatchObject({ status: 201, body: { write, fingerprint: key.fingerprint } });
  return String(made.body["id"]);
}

async function create(repo: string, visibility = "private"): Promise<void> {
  expect((await operator("PUT", `/repos/acme/${repo}`, { visibility })).status).toBe(201);
}

/** Returns the names and checksums of a zip's entries, as Python reads them. */
function zipList(zip: Buffer): string {
  const script =
    "import io,sys,zipfile\nfor i in zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())).infolist(): print(i.filename, i.CRC)";
  return spawnSync("python3", ["-c", script], { input: zip, encoding: "utf8" }).stdout;
}

beforeAll(async () => {
  host = await startTestHost({ sshPort: 0 });
  operator = apiClient(host.base, host.token);
  await operator("PUT", "/tenants/acme");
  source = await importFixture(git, "source", everything());
  [owner, stranger] = [makeClientKey("ed25519"), makeClientKey("ed25519")];
  await register(owner, ["repo:write"]);
  for (const [repo, visibility] of [
    ["widgets", "private"],
    ["open", "public"],
  ] as const) {
    await create(repo, visibility);
    await git.ok(["push", "-q", "--mirror", urlOf(repo)], { cwd: source, env: using(owner) });
  }
});

afterAll(async () => {
  await host.stop();
  git.close();
});

describe.each(["0", "1", "2"])("version %s", (version) => {
  const speak = ["-c", `protocol.version=${version}`];

  it("clones all that was pushed", async () => {
    const copy = git.fresh();
    await git.ok([...speak, "clone", "-q", "--mirror", urlOf("widgets"), copy], { env: using(owner) });
    await git.fsck(copy);
    expect(await refsOf(git, copy)).toEqual(await refsOf(git, source));
  });

  it("clones in part, deepens, and fetches the rest", async () => {
    const shallow = git.fresh();
    await git.ok([...speak, "clone", "-q", "--depth", "1", urlOf("widgets"), shallow], { env: using(owner) });
    expect(await git.ok(["rev-list", "--count", "HEAD"], { cwd: shallow })).toBe("1");
    await git.ok([...speak, "fetch", "-q", "--unshallow"], { cwd: shallow, env: using(owner) });
    await git.fsck(shallow);
    const partial = git.fresh();
    const filter = ["--filter=blob:none", "--no-checkout"];
    await git.ok([...speak, "clone", "-q", ...filter, urlOf("widgets"), partial], { env: using(owner) });
    await git.ok([...speak, "checkout", "-q", "main"], { cwd: partial, env: using(owner) });
    expect(await git.ok(["status", "--porcelain"], { cwd: partial })).toBe("");
  });

  it("pushes, fetches that elsewhere, and deletes", async () => {
    const branch = `refs/heads/pushed-${version}`;
    const [here, there] = [git.fresh(), git.fresh()];
    for (const copy of [here, there]) await git.ok(["clone", "-q", urlOf("widgets"), copy], { env: using(owner) });
    await git.ok(["commit", "-q", "--allow-empty", "-m", "new"], { cwd: here });
    await git.ok([...speak, "push", "-q", "origin", `HEAD:${branch}`], { cwd: here, env: using(owner) });
    await git.ok([...speak, "fetch", "-q", "origin", branch], { cwd: there, env: using(owner) });
    const tip = await git.ok(["rev-parse", "HEAD"], { cwd: here });
    expect(await git.ok(["rev-parse", "FETCH_HEAD"], { cwd: there })).toBe(tip);
    await git.ok([...speak, "push", "-q", "origin", `:${branch}`], { cwd: here, env: using(owner) });
    expect(await git.ok([...speak, "ls-remote", "origin", branch], { cwd: here, env: using(owner) })).toBe("");
  });
});

describe("the same state is behind both doors", () => {
  it("what was pushed by SSH is cloned over HTTP, and the log names the key", async () => {
    await create("both");
    const cwd = await importFixture(git, "project", project(50));
    await git.ok(["push", "-q", urlOf("both"), "main"], { cwd, env: using(owner) });
    const copy = git.fresh();
    await git.ok(["clone", "-q", withToken(`${host.base}/acme/both.git`, host.token), copy]);
    await git.fsck(copy);
    const { body } = await operator("GET", "/repos/acme/both/reflog");
    expect(JSON.stringify(body)).toMatch(/"actor":"key:[0-9a-f]{32}"/);
    const { body: keys } = await operator("GET", "/tenants/acme/ssh-keys");
    expect(keys).toMatchObject({ keys: [{ name: "a key", last_used_at: expect.stringMatching(/^20/) }] });
  });
});

describe("a key that is not known", () => {
  it("is told the same of a private repository as of none, to the byte and for every service", async () => {
    const told = [];
    for (const repo of ["widgets", "nothing"]) {
      const read = await as(stranger, ["ls-remote", urlOf(repo)]);
      const write = await as(stranger, ["push", urlOf(repo), "main"], source);
      const lfs = ssh(stranger, `git-lfs-authenticate acme/${repo}.git download`);
      expect([read.code, write.code, lfs.status]).toEqual([128, 128, 128]);
      told.push([read.stderr, write.stderr, lfs.stdout, lfs.stderr].join("|").replaceAll(repo, "REPO"));
    }
    expect(told[0]).toContain(`There is no such repository, or the key ${stranger.fingerprint} may not do this.`);
    expect(told[0]).toBe(told[1]);
  });

  it("reads what is public, and pushes nothing there", async () => {
    const copy = git.fresh();
    await git.ok(["clone", "-q", urlOf("open"), copy], { env: using(stranger) });
    await git.fsck(copy);
    expect((await as(stranger, ["push", urlOf("open"), "HEAD:refs/heads/x"], copy)).code).toBe(128);
  });

  it("makes no repository", async () => {
    expect((await as(stranger, ["push", urlOf("made-up"), "main"], source)).code).toBe(128);
    expect((await operator("GET", "/repos/acme/made-up")).status).toBe(404);
  });
});

describe("a key with few rights", () => {
  it("that may read is told that it may not push", async () => {
    const key = makeClientKey("ecdsa");
    await register(key, ["repo:read"]);
    expect((await as(key, ["ls-remote", urlOf("widgets")])).code).toBe(0);
    const pushed = await as(key, ["push", urlOf("widgets"), "HEAD:refs/heads/x"], source);
    expect(pushed).toMatchObject({ code: 128, stderr: expect.stringContaining("This key may only read") });
  });

  it("that is for some repositories knows no others", async () => {
    const key = makeClientKey("rsa", 2048);
    await register(key, ["repo:write"], { repos: ["open"] });
    expect((await as(key, ["ls-remote", urlOf("open")])).code).toBe(0);
    const refused = await as(key, ["ls-remote", urlOf("widgets")]);
    expect(refused).toMatchObject({ code: 128, stderr: expect.stringContaining("There is no such repository") });
  });

  it("that administers the tenant makes a repository by a push", async () => {
    const key = makeClientKey("ed25519");
    await register(key, ["tenant:admin"]);
    expect((await as(key, ["push", "-q", urlOf("made"), "main"], source)).code).toBe(0);
    expect((await operator("GET", "/repos/acme/made")).body).toMatchObject({ visibility: "private" });
  });

  it("of another tenant may do what anybody may", async () => {
    await operator("PUT", "/tenants/other");
    const key = makeClientKey("ed25519");
    await operator("POST", "/tenants/other/ssh-keys", { name: "x", key: key.publicKey, scopes: ["tenant:admin"] });
    expect((await as(key, ["ls-remote", urlOf("widgets")])).code).toBe(128);
    expect((await as(key, ["ls-remote", urlOf("open")])).code).toBe(0);
  });
});

describe("a deploy key", () => {
  it("reads its repository, or writes to it, and knows no other", async () => {
    await create("deployed");
    await as(owner, ["push", "-q", urlOf("deployed"), "main"], source);
    const [reader, writer] = [makeClientKey("ed25519"), makeClientKey("ed25519")];
    await deploy("deployed", reader, false);
    await deploy("deployed", writer, true);
    for (const key of [reader, writer]) {
      expect((await as(key, ["ls-remote", urlOf("deployed")])).code).toBe(0);
      expect((await as(key, ["ls-remote", urlOf("widgets")])).code).toBe(128);
    }
    expect((await as(reader, ["push", urlOf("deployed"), "main:x"], source)).code).toBe(128);
    expect((await as(writer, ["push", "-q", urlOf("deployed"), "main:x"], source)).code).toBe(0);
  });

  it("follows its repository to a new name, and goes with it", async () => {
    await create("moving");
    const key = makeClientKey("ed25519");
    await deploy("moving", key, true);
    expect((await as(key, ["push", "-q", urlOf("moving"), "main"], source)).code).toBe(0);
    await operator("PATCH", "/repos/acme/moving", { name: "moved" });
    for (const name of ["moved", "moving"]) expect((await as(key, ["ls-remote", urlOf(name)])).code).toBe(0);
    await operator("DELETE", "/repos/acme/moved");
    await create("moved");
    expect((await as(key, ["ls-remote", urlOf("moved")])).code).toBe(128);
  });

  it("is in one place of a tenant, and its makers can't make more than they are", async () => {
    await create("one");
    const { publicKey } = makeClientKey("ed25519");
    const add = (api: ApiClient, path: string, more: object) =>
      api("POST", path, { name: "k", key: publicKey, ...more });
    const limited = apiClient(host.base, await issueToken(operator, "acme", "tenant:admin", { repos: ["one"] }));
    expect((await add(limited, "/repos/acme/widgets/deploy-keys", {})).status).toBe(404);
    expect((await add(limited, "/tenants/acme/ssh-keys", { scopes: ["repo:read"] })).status).toBe(403);
    expect((await add(limited, "/repos/acme/one/deploy-keys", {})).status).toBe(201);
    expect((await add(limited, "/repos/acme/one/deploy-keys", {})).status).toBe(200);
    expect((await add(limited, "/repos/acme/one/deploy-keys", { write: true })).status).toBe(409);
    expect((await add(operator, "/tenants/acme/ssh-keys", { scopes: ["repo:read"] })).status).toBe(409);
    const { body } = await operator("GET", "/tenants/acme/audit?action=deploy-key.create");
    expect(JSON.stringify(body)).toContain("SHA256:");
  });

  it.each([
    ["a short RSA key", makeClientKey("rsa", 1024).publicKey, "1024 bits"],
    ["a key of no known kind", "ssh-dss AAAAB3NzaC1kc3MAAAABAQ== x", "not known here"],
    ["nothing of a key", "hello", "no line with a type and a key"],
  ])("is not made of %s", async (_, key, why) => {
    const answer = await operator("POST", "/tenants/acme/ssh-keys", { name: "x", key, scopes: ["repo:read"] });
    expect(answer).toMatchObject({ status: 422, body: { detail: expect.stringContaining(why) } });
  });
});

describe("a key that was removed", () => {
  it("is refused with the very next request, also within a connection that is open", async () => {
    const key = makeClientKey("ed25519");
    const id = await register(key, ["repo:write"]);
    const control = join(git.directory, "control");
    const shared = ["-o", "ControlMaster=auto", "-o", `ControlPath=${control}`, "-o", "ControlPersist=30"];
    const list = (): Promise<GitResult> => git.git(["ls-remote", urlOf("widgets")], { env: using(key, ...shared) });
    expect((await list()).code).toBe(0);
    expect((await operator("DELETE", `/tenants/acme/ssh-keys/${id}`)).status).toBe(204);
    expect(await list()).toMatchObject({ code: 128, stderr: expect.stringContaining("There is no such repository") });
    spawnSync("ssh", ["-o", `ControlPath=${control}`, "-O", "exit", "git@localhost"]);
  });

  it("is refused with the next command of a session, too", async () => {
    const key = makeClientKey("ed25519");
    const id = await register(key, ["repo:read"]);
    const options = [...sshOptions(key), "-o", "SetEnv=GIT_PROTOCOL=version=2", "-p", `${host.sshPort ?? 0}`];
    const child = spawn("ssh", [...options, "git@localhost", "git-upload-pack acme/widgets.git"]);
    let came = "";
    child.stdout.on("data", (piece: Buffer) => (came += piece.toString("latin1")));
    const received = (text: string) => vi.waitFor(() => expect(came).toContain(text), WAIT_LIMIT);
    await received("version 2");
    const list = "0014command=ls-refs\n0000";
    child.stdin.write(list);
    await received("refs/heads/main");
    expect((await operator("DELETE", `/tenants/acme/ssh-keys/${id}`)).status).toBe(204);
    child.stdin.write(list);
    const status = new Promise((resolve) => child.on("close", resolve));
    await received("ERR There is no such repository");
    child.stdin.end();
    expect(await status).toBe(128);
  });
});

describe("Git LFS by SSH", () => {
  it("gives whoever is not known files of a public repository, and no ticket", async () => {
    await create("shared", "public");
    const cwd = await git.init();
    await git.ok(["lfs", "install", "--local"], { cwd });
    await git.ok(["lfs", "track", "*.bin"], { cwd });
    const content = noise(50_000, 4);
    writeFileSync(join(cwd, "a.bin"), content);
    await git.ok(["add", "-A"], { cwd });
    await git.ok(["commit", "-q", "-m", "a file"], { cwd });
    await git.ok(["remote", "add", "origin", urlOf("shared")], { cwd });
    await git.ok(["push", "-q", "origin", "main"], { cwd, env: using(owner) });
    const copy = git.fresh();
    await git.ok(["lfs", "install", "--skip-repo"]);
    await git.ok(["clone", "-q", urlOf("shared"), copy], { env: using(stranger) });
    expect(readFileSync(join(copy, "a.bin")).equals(content)).toBe(true);
    const asked = ssh(stranger, "git-lfs-authenticate 'acme/shared.git' download");
    expect(JSON.parse(asked.stdout)).toMatchObject({ href: `${host.base}/acme/shared.git/info/lfs`, header: {} });
    expect(ssh(stranger, "git-lfs-authenticate 'acme/shared.git' upload").status).toBe(128);
  });

  it("pushes and clones files with tickets, which end with their key", async () => {
    await create("large");
    const key = makeClientKey("ed25519");
    const id = await register(key, ["repo:write"], { repos: ["large"] });
    const cwd = await git.init();
    const env = using(key);
    await git.ok(["lfs", "install", "--local"], { cwd });
    await git.ok(["lfs", "track", "*.bin"], { cwd });
    const content = noise(100_000, 3);
    writeFileSync(join(cwd, "a.bin"), content);
    await git.ok(["add", "-A"], { cwd });
    await git.ok(["commit", "-q", "-m", "a file"], { cwd });
    await git.ok(["remote", "add", "origin", urlOf("large")], { cwd });
    await git.ok(["push", "-q", "origin", "main"], { cwd, env });
    const copy = git.fresh();
    await git.ok(["lfs", "install", "--skip-repo"]);
    await git.ok(["clone", "-q", urlOf("large"), copy], { env });
    expect(readFileSync(join(copy, "a.bin")).equals(content)).toBe(true);

    const asked = ssh(key, "git-lfs-authenticate 'acme/large.git' download");
    const { href, header } = JSON.parse(asked.stdout);
    const batch = (operation: string, url = `${href}/objects/batch`) =>
      fetch(url, {
        method: "POST",
        headers: { ...header, "Content-Type": "application/vnd.git-lfs+json", Accept: "application/vnd.git-lfs+json" },
        body: JSON.stringify({ operation, objects: [{ oid: "1".repeat(64), size: 1 }] }),
      });
    expect((await batch("download")).status).toBe(200);
    // A ticket to read writes nothing, opens no other repository, and is worth nothing to git or to the API.
    expect((await batch("upload")).status).toBe(403);
    const elsewhere = await batch("download", `${host.base}/acme/widgets.git/info/lfs/objects/batch`);
    expect(elsewhere.status).toBe(404);
    for (const path of ["/acme/large.git/info/refs?service=git-upload-pack", "/api/v1/repos/acme/large"]) {
      expect((await fetch(`${host.base}${path}`, { headers: header })).status).toBe(401);
    }
    header.Authorization = header.Authorization.replace(/\.(.)/, (_: string, first: string) =>
      first === "A" ? ".B" : ".A",
    );
    expect((await batch("download")).status).toBe(401);
    header.Authorization = JSON.parse(asked.stdout).header.Authorization;
    await operator("DELETE", `/tenants/acme/ssh-keys/${id}`);
    expect((await batch("download")).status).toBe(401);
  });
});

describe("git archive --remote by SSH", () => {
  const archive = (args: readonly string[], key = owner, repo = "widgets"): Promise<Buffer> =>
    git.bytes(["archive", `--remote=${urlOf(repo)}`, ...args], { env: using(key) });

  it("makes what git makes of the same tree: all of it or some paths, with a prefix, packed or not", async () => {
    const files = (await git.ok(["ls-tree", "-r", "--name-only", "main"], { cwd: source })).split("\n");
    const [file = ""] = files;
    const directory = files.find((name) => name.includes("/"))?.split("/")[0] ?? "";
    expect(directory).not.toBe("");
    for (const args of [["main"], ["--prefix=widgets-1/", "HEAD"], ["--prefix=x/", "main", `${directory}/`, file]]) {
      const theirs = await git.bytes(["archive", ...args], { cwd: source });
      expect({ args, isSame: theirs.equals(await archive(args)) }).toEqual({ args, isSame: true });
      const zipped = await archive(["--format=tar.gz", ...args]);
      expect({ args, isSame: theirs.equals(gunzipSync(zipped)) }).toEqual({ args, isSame: true });
      const zips = [
        await git.bytes(["archive", "--format=zip", ...args], { cwd: source }),
        await archive(["--format=zip", ...args]),
      ];
      const [theirZip, ourZip] = zips.map((zip) => zipList(zip));
      expect(ourZip).toBe(theirZip);
      expect(ourZip).toContain(file);
    }
  });

  it("lets a stranger have what is public, and says of the rest what it says of nothing", async () => {
    const theirs = await git.bytes(["archive", "main"], { cwd: source });
    expect(theirs.equals(await archive(["main"], stranger, "open"))).toBe(true);
    const told = [];
    for (const repo of ["widgets", "nothing"]) {
      const { code, stderr } = await as(stranger, ["archive", `--remote=${urlOf(repo)}`, "main"]);
      expect(code).not.toBe(0);
      told.push(stderr);
    }
    expect(told[0]).toContain("There is no such repository");
    expect(told[0]).toBe(told[1]);
    const wrong = await as(owner, ["archive", `--remote=${urlOf("widgets")}`, "nowhere"]);
    expect([wrong.code, wrong.stderr.trim()]).toEqual([1, "remote: fatal: no such ref: nowhere"]);
  });
});

describe("what is no git", () => {
  it("is answered with a sentence", () => {
    expect(ssh(owner)).toMatchObject({ status: 1, stderr: expect.stringContaining("there is no shell here") });
    for (const command of [
      "ls",
      "git-upload-pack",
      "git-upload-pack 'a",
      "git-receive-pack a b",
      "git-lfs-authenticate x y",
    ]) {
      expect(ssh(owner, command)).toMatchObject({ status: 128, stderr: expect.stringContaining("can't be run here") });
    }
    expect(ssh(owner, "git-upload-pack '../../etc'")).toMatchObject({ status: 128 });
  });

  it("forwards nothing and copies no files", () => {
    const port = `${host.sshPort ?? 0}`;
    const forward = spawnSync("ssh", [...sshOptions(owner), "-p", port, "-W", "localhost:1", "git@localhost"], {
      input: "",
    });
    expect(forward.status).not.toBe(0);
    const sftp = spawnSync("sftp", [...sshOptions(owner), "-P", port, "git@localhost"], { input: "" });
    expect(sftp.status).not.toBe(0);
  });
});

describe("other clients", () => {
  it("libgit2, with libssh2", async () => {
    const directory = git.fresh();
    const script = join(CLIENTS, "libgit2_ssh.py");
    await create("libgit2");
    await as(owner, ["push", "-q", urlOf("libgit2"), "main"], source);
    // It refuses to begin without a list of known hosts.
    const home = git.fresh("home");
    mkdirSync(join(home, ".ssh"), { recursive: true });
    writeFileSync(join(home, ".ssh", "known_hosts"), "");
    const args = [script, urlOf("libgit2"), directory, owner.file];
    await runProgram("/usr/bin/python3", args, { env: { HOME: home } });
    await git.fsck(directory);
    expect((await as(owner, ["ls-remote", urlOf("libgit2"), "refs/heads/copied"])).stdout).toContain("copied");
  });

  it("dulwich, with paramiko", async () => {
    const directory = git.fresh();
    const script = join(CLIENTS, "dulwich_ssh.py");
    await create("dulwich");
    await as(owner, ["push", "-q", urlOf("dulwich"), "main"], source);
    const said = await runProgram("/usr/bin/python3", [script, urlOf("dulwich"), directory, owner.file], {
      env: { HOME: git.fresh("home") },
    });
    expect(said).toContain("paramiko");
    await git.fsck(directory);
    expect((await as(owner, ["ls-remote", urlOf("dulwich"), "refs/heads/from-dulwich"])).stdout).toContain("from-d");
  });

  it("go-git, with Go's own SSH", async () => {
    const directory = git.fresh();
    const [program, home] = [join(git.fresh("go"), "client"), git.fresh("home")];
    const env = { HOME: home, GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOCACHE: git.path("go-cache") };
    await runProgram("go", ["build", "-o", program, join(CLIENTS, "go-git", "main.go")], { env });
    await create("go-git");
    await as(owner, ["push", "-q", urlOf("go-git"), "main"], source);
    await runProgram(program, [urlOf("go-git"), directory, owner.file], { env: { HOME: home } });
    await git.fsck(directory);
    expect((await as(owner, ["ls-remote", urlOf("go-git"), "refs/heads/from-go-git"])).stdout).toContain("from-go");
  });

  // On a machine that is very busy its login takes longer than one may.
  it("JGit, with JSch", { retry: 3 }, async () => {
    const home = git.fresh("home");
    mkdirSync(join(home, ".ssh"), { recursive: true });
    const key = makeClientKey("ecdsa");
    // JSch reads keys in the older format only.
    spawnSync("ssh-keygen", ["-q", "-p", "-m", "PEM", "-N", "", "-P", "", "-f", key.file]);
    await register(key, ["repo:write"]);
    writeFileSync(join(home, ".ssh", "config"), `Host *\n  IdentityFile ${key.file}\n  StrictHostKeyChecking no\n`);
    const directory = git.fresh();
    const env = {
      HOME: home,
      XDG_CONFIG_HOME: home,
      JGIT_CLASSPATH,
      JAVA_TOOL_OPTIONS: `-Duser.home=${home} -Djava.awt.headless=true`,
    };
    await runProgram("jgit", ["clone", urlOf("widgets"), directory], { env });
    await git.fsck(directory);
    await runProgram("jgit", ["push", urlOf("widgets"), "HEAD:refs/heads/from-jgit"], { cwd: directory, env });
    expect((await as(owner, ["ls-remote", urlOf("widgets"), "refs/heads/from-jgit"])).stdout).toContain("from-jgit");
  });
});

describe("hostile connections", () => {
  it("that say nothing, or nonsense, leave the others alone", async () => {
    const port = host.sshPort ?? 0;
    const open = Array.from({ length: 15 }, (_, index) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      if (index % 3 === 1) socket.write("SSH-2.0-x\r\n");
      if (index % 3 === 2) socket.write(noise(10_000, index));
      return socket;
    });
    expect((await as(owner, ["ls-remote", urlOf("widgets")])).code).toBe(0);
    for (const socket of open) socket.destroy();
  });

  it("many at once are served, each with its own answer", async () => {
    const lists = Array.from({ length: 12 }, () => as(owner, ["ls-remote", urlOf("widgets")]));
    const answers = await Promise.all(lists);
    expect(new Set(answers.map(({ code, stdout }) => `${code} ${stdout}`)).size).toBe(1);
    expect(answers[0]?.code).toBe(0);
  });

  // The last of this file: the address has to wait after that.
  it("of one address are bounded before the login, and more are told why", async () => {
    const open = Array.from({ length: MOST_STRANGERS_OF_ONE }, () => connect(host.sshPort ?? 0, "127.0.0.1"));
    for (const socket of open) socket.on("error", () => undefined);
    await Promise.all(open.map((socket) => once(socket, "data")));
    const refused = ssh(owner, "git-upload-pack 'acme/widgets.git'");
    expect(refused).toMatchObject({ status: 255, stderr: expect.stringMatching(/:12: Too many connections/) });
    for (const socket of open) socket.destroy();
  });
});
