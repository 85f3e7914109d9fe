/**
 * `thinpack admin backup`, `restore` and `recover-to`: what is lost comes back, as git and its users see it. `npm run rehearse` loses more.
 *
 * @packageDocumentation
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { BackupDirectory, type CopiedFile, type Unit } from "../../scripts/thinpack/backup/backup-directory.ts";
import { Deployment } from "../../scripts/thinpack/backup/deployment.ts";
import { ApiConnection } from "../../scripts/thinpack/api-connection.ts";
import { readBackupKey } from "../../scripts/thinpack/backup/backup-key.ts";
import type { Job } from "../../src/events/job.ts";
import { BackupRun } from "../../scripts/thinpack/backup/make-backup.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { type Ran, startCommand } from "../support/command.ts";
import { GitSandbox, refsAt, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";
import { actionsOf, LfsClient, lfsObject } from "../support/lfs-client.ts";

const git = new GitSandbox("backup");
const hosts = new Set<RunningHost>();
const key = git.path("backup.key");
const backup = git.path("backup");
/** A webhook's secret, which has to be nowhere in clear. */
const SECRET = "the-secret-of-a-webhook";
const NAMES = ["acme/widgets", "acme/fork", "acme/small"];
const large = randomBytes(200_000);
/** An object of Git LFS that no other repository has. */
const own = randomBytes(1000);

let host: RunningHost;
let operator: ApiClient;
let work = "";
let reader = "";
let refs: string[][] = [];

async function start(stateDir?: string): Promise<RunningHost> {
  // What small pushes leave in the object stays there, however long the tests take.
  const started = await startTestHost({ publishAfter: "3600", ...(stateDir === undefined ? {} : { stateDir }) });
  hosts.add(started);
  return started;
}

/** Runs `thinpack admin` as the operator of a host. */
async function admin(at: RunningHost, ...args: string[]): Promise<Ran> {
  return await startCommand(git, ["--base", at.base, "--token", at.token, "--json", "admin", ...args]).ended;
}

/** Runs it where it has to go well. Returns what it did. */
async function done(at: RunningHost, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await admin(at, ...args, "--key", key);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Record<string, unknown>;
}

const remote = (at: RunningHost, name: string, token = at.token): string => withToken(`${at.base}/${name}.git`, token);
const push = async (name: string, ...refspecs: string[]): Promise<string> =>
  await git.ok(["push", "-q", remote(host, name), ...refspecs], { cwd: work });

async function upload(name: string, content: Buffer): Promise<void> {
  const lfs = new LfsClient(`${host.base}/${name}.git`, host.token);
  const { body } = await lfs.ask("objects/batch", { operation: "upload", objects: [lfsObject(content)] });
  const [object] = body["objects"] as Record<string, unknown>[];
  const { href = "", header = {} } = actionsOf(object)["upload"] ?? {};
  expect((await lfs.send(href, { method: "PUT", headers: header, body: content })).status).toBe(200);
}

async function expectLarge(at: RunningHost, name: string, content: Buffer): Promise<void> {
  const lfs = new LfsClient(`${at.base}/${name}.git`, reader);
  const { body } = await lfs.ask("objects/batch", { operation: "download", objects: [lfsObject(content)] });
  const [object] = body["objects"] as Record<string, unknown>[];
  const { href = "", header = {} } = actionsOf(object)["download"] ?? {};
  expect(Buffer.from(await (await lfs.send(href, { headers: header })).arrayBuffer()).equals(content)).toBe(true);
}

/** Says what a host has, as those see it who use it. */
async function expectAllOf(at: RunningHost): Promise<void> {
  expect(await Promise.all(NAMES.map((name) => refsAt(git, remote(at, name, reader))))).toEqual(refs);
  for (const name of NAMES) {
    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", "--mirror", remote(at, name, reader), clone]);
    await git.fsck(clone);
  }
  await expectLarge(at, "acme/widgets", large);
  const ask = apiClient(at.base, at.token);
  expect((await ask("GET", "/repos/acme/widgets")).body).toMatchObject({
    description: "as it was",
    default_branch: "trunk",
  });
  expect((await ask("GET", "/tenants/acme")).body).toMatchObject({ quotas: { repos: 7 }, repos: 3 });
  expect((await ask("GET", "/tenants")).body).toMatchObject({ tenants: [{ name: "acme" }] });
  expect((await ask("GET", "/repos/acme/widgets/hooks")).body).toMatchObject({
    hooks: [{ url: "https://example.com/hook" }],
  });
  expect((await ask("GET", "/repos/acme/widgets/reflog")).body["pushes"]).toHaveLength(2);
}

/** A host that is lost before a backup has a pack of it. */
class LostHost extends Deployment {
  override async copy(...[file, ...rest]: Parameters<Deployment["copy"]>): Promise<CopiedFile | undefined> {
    if (file.key.endsWith(".pack")) throw new Error("lost");
    return await super.copy(file, ...rest);
  }
}

/** A directory whose machine is lost once a list is written, before what it names is in its place. */
class LostDirectory extends BackupDirectory {
  override settle(unit: Unit): void {
    if (unit.name === "acme/late" && this.readUnit(unit)?.etag !== this.#before) throw new Error("lost");
    super.settle(unit);
  }
  readonly #before = this.readUnit({ kind: "repository", name: "acme/late" })?.etag;
}

beforeAll(async () => {
  writeFileSync(key, randomBytes(32).toString("base64"));
  host = await start(git.path("state"));
  operator = apiClient(host.base, host.token);
  await operator("PUT", "/tenants/acme", { quotas: { repos: 7 } });
  await operator("PUT", "/repos/acme/widgets", { description: "as it was", default_branch: "trunk" });
  await operator("POST", "/repos/acme/widgets/hooks", {
    url: "https://example.com/hook",
    secret: SECRET,
    active: false,
  });
  reader = await issueToken(operator, "acme", "repo:read");
  work = await git.init();
  await git.commit(work, "a.bin", randomBytes(900_000).toString("base64"));
  await push("acme/widgets", "main", "main:trunk");
  // The host writes derived files a second after a push, and later ones with the tail.
  const { body } = await operator("GET", "/repos/acme/widgets");
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  const derived = `repos/${String(body["id"])}.git/objects/info/packs`;
  await vi.waitUntil(async () => (await bucket.head(derived)) !== null, { timeout: WAIT_LIMIT });
  await upload("acme/widgets", large);
  await operator("POST", "/repos/acme/widgets/forks", { tenant: "acme", repo: "fork" });
  await git.commit(work, "b.txt", "a small push, which stays in the object\n");
  await push("acme/widgets", "main");
  await push("acme/small", "main~1:refs/heads/main");
  await upload("acme/small", own);
  refs = await Promise.all(NAMES.map((name) => refsAt(git, remote(host, name))));
  await done(host, "backup", backup);
});

afterAll(async () => {
  for (const each of hosts) await each.stop();
  git.close();
});

describe("a backup", () => {
  it("copies nothing twice", async () => {
    // The host writes derived files a second after the last push.
    await vi.waitFor(
      async () => expect(await done(host, "backup", backup)).toMatchObject({ files: 0, bytes: 0, unchanged: 6 }),
      { timeout: WAIT_LIMIT },
    );
  });

  it("goes on with a file where it was interrupted", async () => {
    const directory = new BackupDirectory(backup, readBackupKey(key));
    const unit = { kind: "repository", name: "acme/widgets" } as const;
    const file = directory
      .readUnit(unit)
      ?.files.find(({ key: name, size }) => name.endsWith(".pack") && size > 500_000);
    if (file === undefined) throw new Error("there is no large pack");
    rmSync(join(backup, "objects", "repository", "acme", "widgets.files"));
    renameSync(directory.filePath(file.key), directory.partialPath(`${file.key} ${file.etag}`));
    truncateSync(directory.partialPath(`${file.key} ${file.etag}`), file.size - 1000);
    // The fork borrows the pack, and says so as well.
    const { bytes } = await done(host, "backup", backup);
    expect(bytes).toBeGreaterThanOrEqual(1000);
    // Derived files may have come beside it.
    expect(bytes).toBeLessThan(20_000);
    expect(await done(host, "backup", backup, "--verify")).toMatchObject({ objects: 6 });
  });

  it("has no secret in clear", async () => {
    const hash = createHash("sha256").update(reader).digest();
    const secrets = [SECRET, reader, hash.toString("hex"), hash.toString("base64"), hash];
    const names = readdirSync(backup, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(names.length).toBeGreaterThan(15);
    for (const { parentPath, name } of names) {
      const content = readFileSync(join(parentPath, name));
      expect([name, ...secrets.filter((secret) => content.includes(secret))]).toEqual([name]);
    }
    // They are in the host's answer.
    const answer = await fetch(`${host.base}/api/v1/admin/rows/tenant/acme`, {
      headers: { Authorization: `Bearer ${host.token}` },
    });
    expect((await answer.text()).includes(hash.toString("base64"))).toBe(true);
  });

  it("is one version of each repository, beside pushes", async () => {
    const beside = git.fresh("beside");
    let pushes = 0;
    const busy = async (): Promise<void> => {
      const commit = await git.ok(["commit-tree", "-m", `busy ${pushes}`, "main^{tree}"], { cwd: work });
      await push("acme/busy", `+${commit}:refs/heads/one`, `${commit}:refs/heads/two-${pushes++}`);
    };
    await busy();
    const running = { isOver: false };
    const backedUp = done(host, "backup", beside).finally(() => (running.isOver = true));
    while (!running.isOver) await busy();
    await backedUp;
    expect(pushes).toBeGreaterThan(1);
    await operator("DELETE", "/repos/acme/busy");
    expect(await done(host, "restore", beside, "--only", "acme/busy")).toMatchObject({ objects: 1 });
    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", "--mirror", remote(host, "acme/busy"), clone]);
    await git.fsck(clone);
    // Both refs of a push moved at once.
    const tip = await git.ok(["rev-parse", "one"], { cwd: clone });
    expect(await git.ok(["for-each-ref", "--points-at", tip, "--format=%(refname)"], { cwd: clone })).toMatch(/two-/);
    await operator("DELETE", "/repos/acme/busy");
  });

  it.each(["while its files are copied", "before what came is in its place"])(
    "stays what it was when the next one is interrupted %s",
    async (when) => {
      const path = git.fresh("interrupted");
      const name = "acme/late";
      await push(name, "main");
      const { body } = await operator("GET", `/repos/${name}`);
      const derived = `repos/${String(body["id"])}.git/packed-refs`;
      const bucket = await host.miniflare.getR2Bucket("BUCKET");
      const derivedHas = async (ref: string): Promise<void> =>
        void (await vi.waitUntil(async () => (await (await bucket.get(derived))?.text())?.includes(ref), {
          timeout: WAIT_LIMIT,
        }));
      await derivedHas("refs/heads/main");
      await done(host, "backup", path);
      const before = await refsAt(git, remote(host, name));
      await git.commit(work, "late.bin", randomBytes(900_000).toString("base64"));
      await push(name, "main:later");
      await derivedHas("refs/heads/later");
      const after = await refsAt(git, remote(host, name));
      const isFirst = when.startsWith("while");
      const sealing = readBackupKey(key);
      const connection = new ApiConnection({ base: host.base, token: host.token });
      const run = new BackupRun(
        isFirst ? new LostHost(connection) : new Deployment(connection),
        isFirst ? new BackupDirectory(path, sealing) : new LostDirectory(path, sealing),
        sealing,
        () => undefined,
      );
      await expect(run.run()).rejects.toThrow("lost");
      expect(await done(host, "backup", path, "--verify")).toMatchObject({ objects: 7 });
      const other = await start();
      await done(other, "restore", path);
      expect(await refsAt(git, remote(other, name))).toEqual(isFirst ? before : after);
      const clone = git.fresh("clone");
      await git.ok(["clone", "-q", "--mirror", remote(other, name), clone]);
      await git.fsck(clone);
      await other.stop();
      hosts.delete(other);
      // The next one goes on, and has all.
      await done(host, "backup", path);
      expect(await done(host, "backup", path, "--verify")).toMatchObject({ objects: 7 });
      await git.fsck(join(path, "bucket", derived.slice(0, -"/packed-refs".length)));
      await operator("DELETE", `/repos/${name}`);
    },
  );

  it("takes no file for one that was written in parts because it is as large", async () => {
    const directory = new BackupDirectory(git.fresh("same-size"), readBackupKey(key));
    const deployment = new Deployment(new ApiConnection({ base: host.base, token: host.token }), 5 * 1024 * 1024);
    directory.begin(host.base);
    const content = randomBytes(6_000_000);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const file = { key: `lfs/acme/00/01/${sha256}`, size: content.length, etag: "", sha256 };
    const path = directory.filePath(file.key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    await deployment.putFile(file, directory);
    const listed = await deployment.file(file.key);
    if (listed === undefined) throw new Error("it is not there");
    expect(listed.etag).toMatch(/-2$/);
    const spoilt = Buffer.from(content);
    spoilt[1000] = (spoilt[1000] ?? 0) ^ 1;
    writeFileSync(path, spoilt);
    const copied = await deployment.copy(listed, directory);
    expect(copied).toEqual({ ...listed, sha256 });
    expect(
      createHash("sha256")
        .update(readFileSync(directory.copyPath(file)))
        .digest("hex"),
    ).toBe(sha256);
    // What was copied is known by its checksum the next time, and not copied again.
    renameSync(directory.copyPath(file), path);
    const [again, more] = [new BackupDirectory(directory.path, readBackupKey(key)), new Deployment(deployment.api)];
    expect(await more.copy(listed, again)).toEqual(copied);
    expect(more.bytes).toBe(0);
  });

  it("is a directory of repositories as git has them", async () => {
    const { body } = await operator("GET", "/repos/acme/widgets");
    await git.fsck(join(backup, "bucket", "repos", `${String(body["id"])}.git`));
  });
});

describe("a restore", () => {
  it("brings everything into an empty deployment", async () => {
    const other = await start();
    expect(await done(other, "restore", backup)).toMatchObject({ objects: 6, kept: 0 });
    await expectAllOf(other);
    // It goes on from there.
    await git.commit(work, "c.txt", "three\n");
    await git.ok(["push", "-q", remote(other, "acme/small"), "main"], { cwd: work });
    await git.ok(["push", "-q", remote(other, "acme/fork"), "main:refs/heads/more"], { cwd: work });
    expect((await admin(other, "restore", backup, "--key", key)).stderr).toMatch(
      /^thinpack: nothing was done: the host has /,
    );
    await other.stop();
    hosts.delete(other);
  });

  it("brings a lost object back, and a lost bucket", async () => {
    const objects = await host.miniflare.getDurableObjectNamespace("REPOSITORIES");
    const id = objects.idFromName("acme/widgets").toString();
    const { stateDir } = host;
    await host.stop();
    hosts.delete(host);
    const lost = readdirSync(join(stateDir, "storage"), { recursive: true, encoding: "utf8" }).filter((path) =>
      path.includes(id),
    );
    expect(lost.length).toBeGreaterThan(0);
    for (const path of lost) rmSync(join(stateDir, "storage", path));
    host = await start(stateDir);
    operator = apiClient(host.base, host.token);
    expect((await operator("GET", "/repos/acme/widgets")).status).toBe(404);
    expect(await done(host, "restore", backup, "--only", "acme/widgets")).toMatchObject({ objects: 1, files: 0 });
    await expectAllOf(host);
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    const { objects: files } = await bucket.list();
    await bucket.delete(files.map((file) => file.key));
    expect(await done(host, "restore", backup, "--missing")).toMatchObject({ objects: 0, kept: 6 });
    await expectAllOf(host);
  });

  it("says which repositories name packs that are lost for good, and puts those back as a whole", async () => {
    const later = await git.init();
    await git.commit(later, "later.bin", randomBytes(700_000).toString("base64"));
    await git.ok(["push", "-q", remote(host, "acme/small"), "main:refs/heads/later"], { cwd: later });
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    const { objects: files } = await bucket.list();
    await bucket.delete(files.map((file) => file.key));
    const { code, stdout, stderr } = await admin(host, "restore", backup, "--key", key, "--missing");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^thinpack: neither .+:\nrepository acme\/small:\n {2}\S+\/pack-\w+\.pack\n$/),
    });
    const { incomplete } = JSON.parse(stdout) as { incomplete: { repository: string; missing: string[] }[] };
    expect(incomplete.map(({ repository, missing }) => [repository, missing.length])).toEqual([["acme/small", 1]]);
    await done(host, "restore", backup, "--only", "acme/small", "--replace");
    await expectAllOf(host);
  });

  it("replaces what is there only where it is told to, and is in the audit log", async () => {
    await push("acme/small", "main:refs/heads/later");
    const refused = await admin(host, "restore", backup, "--key", key, "--only", "acme/small");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(await refsAt(git, remote(host, "acme/small"))).toHaveLength(2);
    expect(await done(host, "restore", backup, "--only", "acme/small", "--replace")).toMatchObject({ objects: 1 });
    expect(await refsAt(git, remote(host, "acme/small"))).toEqual(refs[2]);
    const { body } = await operator("GET", "/tenants/acme/audit?action=repo.restore");
    const entries = body["entries"] as Record<string, unknown>[];
    expect(entries[0]).toMatchObject({ actor: "operator", subject: "small" });
  });

  it("brings a repository back that was deleted, whose files a job may be about to delete", async () => {
    const { body } = await operator("GET", "/repos/acme/small");
    expect((await operator("DELETE", "/repos/acme/small")).status).toBe(204);
    expect(await done(host, "restore", backup, "--only", "acme/small")).toMatchObject({ objects: 1 });
    expect(await refsAt(git, remote(host, "acme/small", reader))).toEqual(refs[2]);
    // The restore calls the deletion off. A job that was sent before, as it may have been here, finds that the repository is there.
    const count = (): number => {
      const lines = readFileSync(join(host.stateDir, "jobs.jsonl"), "utf8").trim().split("\n");
      return lines.filter((line) => line.includes('"job":"delete-prefix","repository":"acme/small"')).length;
    };
    const before = count();
    const queue = await host.miniflare.getQueueProducer<Job>("JOBS");
    const job = { type: "delete-prefix", repository: "acme/small", id: String(body["id"]) } as const;
    // One more than may be under way.
    for (let sent = 0; sent < 2; sent++) await queue.send(job);
    await vi.waitFor(() => expect(count()).toBeGreaterThanOrEqual(before + 2), { timeout: WAIT_LIMIT });
    await push("acme/small", "main:refs/heads/again");
    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", "--mirror", remote(host, "acme/small"), clone]);
    await git.fsck(clone);
    await expectLarge(host, "acme/small", own);
  });

  it("restores all else where a repository has another name by now", async () => {
    const path = git.fresh("renamed");
    await push("acme/early", "main");
    await done(host, "backup", path);
    const renamed = await operator("PATCH", "/repos/acme/early", { name: "elsewhere" });
    expect(renamed.status).toBe(200);
    expect((await operator("DELETE", "/repos/acme/small")).status).toBe(204);
    const restored = await admin(host, "restore", path, "--missing", "--key", key);
    expect(restored.code).toBe(1);
    expect(restored.stderr).toMatch(/not restored; all else was:\nrepository acme\/early: .+\n$/);
    expect(await refsAt(git, remote(host, "acme/small", reader))).not.toEqual([]);
    expect(await refsAt(git, remote(host, "acme/elsewhere"))).toHaveLength(1);
    await operator("DELETE", "/repos/acme/elsewhere");
  });

  it.each([
    ["a pack", /\.pack$/, /pack-.*\.pack is damaged/],
    ["the rows of a repository", /widgets\.sealed$/, /copy of repository acme\/widgets is damaged/],
  ])("writes nothing where %s is damaged", async (_, wanted, says) => {
    const spoilt = git.fresh("spoilt");
    await git.ok(["init", "-q", "--bare", git.fresh()]);
    for (const entry of readdirSync(backup, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())) {
      const path = join(entry.parentPath, entry.name);
      const target = join(spoilt, path.slice(backup.length));
      mkdirSync(dirname(target), { recursive: true });
      const content = readFileSync(path);
      if (wanted.test(entry.name)) content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
      writeFileSync(target, content);
    }
    const refused = await admin(host, "restore", spoilt, "--key", key, "--replace");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(says);
    expect(await refsAt(git, remote(host, "acme/widgets"))).toEqual(refs[0]);
  });

  it("takes no other key", async () => {
    const other = git.path("other.key");
    writeFileSync(other, randomBytes(32));
    expect((await admin(host, "restore", backup, "--key", other)).stderr).toBe(
      `thinpack: ${backup} was sealed under another key\n`,
    );
  });
});

describe("a file that is larger than a request may be", () => {
  it("goes into the bucket in parts", async () => {
    const directory = new BackupDirectory(git.fresh("parts"), readBackupKey(key));
    const content = randomBytes(11_000_000);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const file = { key: `lfs/acme/00/00/${sha256}`, size: content.length, etag: "", sha256 };
    mkdirSync(dirname(directory.filePath(file.key)), { recursive: true });
    writeFileSync(directory.filePath(file.key), content);
    const deployment = new Deployment(new ApiConnection({ base: host.base, token: host.token }), 5 * 1024 * 1024);
    await deployment.putFile(file, directory);
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    const stored = await bucket.get(file.key);
    expect(Buffer.from((await stored?.arrayBuffer()) ?? []).equals(content)).toBe(true);
    expect(stored?.etag).toMatch(/-3$/);
  });
});

describe("a recovery to a point in time", () => {
  it("is refused in words where the platform keeps no past, as here", async () => {
    const time = new Date(Date.now() - 1000).toISOString();
    const ran = await admin(host, "recover-to", time, "acme/widgets", "--yes");
    expect(ran).toMatchObject({ code: 1, stderr: "thinpack: The platform here keeps no past of its objects.\n" });
    expect((await admin(host, "recover-to", "yesterday", "--yes")).code).toBe(2);
    await expect(refsAt(git, remote(host, "acme/widgets"))).resolves.toEqual(refs[0]);
  });
});
