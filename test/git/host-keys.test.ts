/** Keys that tenants hand in, with which the host signs everything that it makes where a repository says so: git verifies it with gpg and ssh-keygen. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient, issueToken } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { endAgent, makePgpKey, makeSshKey, pgpSecretOf, signWithSsh } from "../support/signing-keys.ts";

const git = new GitSandbox("host-keys");
const options = { stateDir: git.path("state") };
const PERSON = { name: "A U Thor", email: "author@example.com" };
let host: RunningHost;
let operator: ApiClient;
let token: string;
let writer: ApiClient;

function ask(): void {
  operator = apiClient(host.base, "test-token");
  writer = apiClient(host.base, token);
}

beforeAll(async () => {
  host = await startTestHost(options);
  token = "";
  ask();
  await operator("PUT", "/tenants/acme");
  token = await issueToken(operator, "acme", "repo:write");
  ask();
});
afterAll(async () => {
  await host.stop();
  endAgent(git);
  git.close();
});

/** Makes a repository with a few commits. Returns its path in the API and its URL. */
async function repository(name: string): Promise<{ readonly path: string; readonly url: string }> {
  const path = `/repos/acme/${name}`;
  expect((await operator("PUT", path)).status).toBe(201);
  const url = withToken(`${host.base}/acme/${name}.git`, token);
  await git.ok(["push", "-q", url, "main"], { cwd: await importFixture(git, name, linear(3)) });
  return { path, url };
}

async function ok(path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await writer("POST", path, body);
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return answer.body;
}

async function askFacade(path: string, method: string, below: string, body: object): Promise<Response> {
  return await fetch(`${host.base}/api/v3${path}/${below}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function facade(...asked: Parameters<typeof askFacade>): Promise<Record<string, unknown>> {
  const answer = await askFacade(...asked);
  expect(answer.status).toBe(201);
  return Object(await answer.json());
}

const commitOf = (branch: string, file: string): object => ({
  branch,
  message: `Adds ${file}`,
  author: PERSON,
  actions: [{ action: "create", path: file, content: `${file}\n` }],
});

/** A key: what is handed in, and what git needs to verify with its public half. */
type HandedIn = { readonly secret: string; readonly trust: readonly string[]; readonly good: RegExp };

function sshKey(type: string, ...more: string[]): HandedIn {
  const key = makeSshKey(git, type, ...more);
  const signers = git.fresh("signers");
  writeFileSync(signers, `author@example.com ${key.publicKey}`);
  const trust = ["-c", `gpg.ssh.allowedSignersFile=${signers}`];
  return { secret: readFileSync(key.file, "utf8"), trust, good: /Good "git" signature for author@example\.com/ };
}

function pgpKey(algorithm: string): HandedIn {
  const key = makePgpKey(git, algorithm);
  return { secret: pgpSecretOf(git, key), trust: [], good: /Good signature from/ };
}

const KINDS: readonly [string, () => HandedIn][] = [
  ["ed25519 of SSH", () => sshKey("ed25519")],
  ["ECDSA of SSH", () => sshKey("ecdsa", "-b", "256")],
  ["ed25519 of OpenPGP", () => pgpKey("ed25519")],
  ["RSA of OpenPGP", () => pgpKey("rsa2048")],
];

describe("what the API makes in a repository that has the host sign", () => {
  it.each(KINDS)("is verified by git, with a key that was handed in: %s", async (kind, make) => {
    const { path, url } = await repository(`made-${kind.replaceAll(/\W+/g, "-")}`);
    const key = make();
    const set = await operator("PUT", "/tenants/acme/signing-key", { private_key: key.secret });
    expect(set.status).toBe(201);
    expect(JSON.stringify(set.body)).not.toContain("PRIVATE");
    expect((await operator("PATCH", path, { sign: "host" })).body).toMatchObject({ sign: "host" });
    await ok(`${path}/commits`, { ...commitOf("topic", "t"), base: "main" });
    const other = await ok(`${path}/commits`, { ...commitOf("other", "o"), base: "main", sign: false });
    await ok(`${path}/commits`, commitOf("main", "m"));
    await ok(`${path}/merges`, { base: "main", head: "topic" });
    await ok(`${path}/cherry-picks`, { branch: "main", commits: [other["oid"]] });
    await ok(`${path}/reverts`, { branch: "main", commits: [other["oid"]] });
    await ok(`${path}/merges`, { base: "other", head: "main", strategy: "rebase" });
    await ok(`${path}/tags`, { name: "v1", target: "main", message: "One", tagger: PERSON });
    const noted = await writer("PUT", `${path}/notes/main`, { note: "a note" });
    expect(noted.status).toBe(201);

    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", url, clone]);
    await git.ok(["fetch", "-q", "origin", "refs/notes/*:refs/notes/*"], { cwd: clone });
    await git.ok(["fsck", "--full", "--strict"], { cwd: clone });
    const made = [
      "origin/topic",
      "main~3",
      "main~2",
      "main~1",
      "main",
      "origin/other",
      "origin/other~1",
      "refs/notes/commits",
    ];
    for (const commit of made)
      expect([commit, (await git.git([...key.trust, "verify-commit", commit], { cwd: clone })).stderr]).toEqual([
        commit,
        expect.stringMatching(key.good),
      ]);
    expect((await git.git([...key.trust, "verify-tag", "v1"], { cwd: clone })).stderr).toMatch(key.good);
  });

  it("is signed through the facade, too, and no more once the setting is taken back", async () => {
    const { path, url } = await repository("facade");
    const key = sshKey("ed25519");
    await operator("PUT", "/tenants/acme/signing-key", { private_key: key.secret });
    await operator("PATCH", path, { sign: "host" });
    const [head] = (await git.ok(["ls-remote", url, "refs/heads/main"])).split("\t");
    const { commit } = await facade(path, "PUT", "contents/f", { message: "f", content: btoa("f\n"), branch: "main" });
    const tree = Object(commit)["tree"]?.sha;
    const made = await facade(path, "POST", "git/commits", { message: "g", tree, parents: [head] });
    await facade(path, "POST", "git/refs", { ref: "refs/heads/g", sha: made["sha"] });
    const tag = await facade(path, "POST", "git/tags", { tag: "v2", message: "Two", object: head, type: "commit" });
    await facade(path, "POST", "git/refs", { ref: "refs/tags/v2", sha: tag["sha"] });
    expect((await operator("PATCH", path, { sign: null })).body).toMatchObject({ sign: null });
    await ok(`${path}/commits`, { ...commitOf("plain", "p"), base: "main" });
    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", url, clone]);
    await git.ok(["fsck", "--full", "--strict"], { cwd: clone });
    for (const [what, verify] of [
      ["main", "verify-commit"],
      ["origin/g", "verify-commit"],
      ["v2", "verify-tag"],
    ] as const)
      // prettier-ignore
      expect((await git.git([...key.trust, verify, what], { cwd: clone })).stderr).toMatch(key.good);
    expect((await git.git([...key.trust, "verify-commit", "origin/plain"], { cwd: clone })).code).not.toBe(0);
  });

  it("keeps the signature that a client of GitHub's sends with a commit, and refuses what is none", async () => {
    const { path, url } = await repository("brought");
    await operator("PUT", "/tenants/acme/signing-key");
    await operator("PATCH", path, { sign: "host" });
    const key = makeSshKey(git, "ed25519");
    const cwd = git.fresh("work");
    await git.ok(["clone", "-q", url, cwd]);
    const [tree, head] = (await git.ok(["rev-parse", "main^{tree}", "main"], { cwd })).split("\n");
    const who = "A U Thor <author@example.com> 1700000000 +0100";
    // go-github signs a message that does not end its last line.
    const payload = `tree ${tree}\nparent ${head}\nauthor ${who}\ncommitter ${who}\n\nSigned there`;
    const author = { ...PERSON, date: "2023-11-14T23:13:20+01:00" };
    const order = { message: "Signed there", tree, parents: [head], author, committer: author };
    const made = await facade(path, "POST", "git/commits", { ...order, signature: signWithSsh(git, key, payload) });
    await facade(path, "POST", "git/refs", { ref: "refs/heads/signed", sha: made["sha"] });
    await git.ok(["fetch", "-q"], { cwd });
    writeFileSync(git.path("their-signers"), `author@example.com ${key.publicKey}`);
    const trust = ["-c", `gpg.ssh.allowedSignersFile=${git.path("their-signers")}`];
    const verified = await git.git([...trust, "verify-commit", "origin/signed"], { cwd });
    expect(verified.stderr).toMatch(/^Good "git" signature/);
    const refused = await askFacade(path, "POST", "git/commits", { ...order, signature: "nonsense" });
    expect(refused.status).toBe(422);
  });

  it("is not made without a key, and the setting is not taken without one", async () => {
    const { path } = await repository("keyless");
    expect((await operator("PUT", "/tenants/acme/signing-key")).status).toBe(201);
    await operator("PATCH", path, { sign: "host" });
    expect((await operator("DELETE", "/tenants/acme/signing-key")).status).toBe(204);
    const refused = { status: 409, body: { code: "no_signing_key" } };
    expect(await writer("POST", `${path}/commits`, commitOf("main", "m"))).toMatchObject(refused);
    await operator("PATCH", path, { sign: null });
    expect(await operator("PATCH", path, { sign: "host" })).toMatchObject(refused);
    await ok(`${path}/commits`, commitOf("main", "m"));
    expect(await operator("PATCH", path, { sign: "me" })).toMatchObject({ status: 422 });
  });
});

it("a key that can't sign here is refused with its reason, and nothing of it is repeated", async () => {
  const rsa = readFileSync(makeSshKey(git, "rsa", "-b", "2048").file, "utf8");
  const locked = makeSshKey(git, "ed25519");
  locked.protect("a passphrase");
  for (const [secret, why] of [
    [rsa, "of another type"],
    [readFileSync(locked.file, "utf8"), "protected by a passphrase"],
    ["SECRET", "no armour of an OpenSSH key"],
    ["", "no armour of an OpenSSH key"],
  ] as const) {
    const answer = await operator("PUT", "/tenants/acme/signing-key", { private_key: secret });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: "#/private_key" }] } });
    expect(String(answer.body["detail"])).toContain(why);
    expect(JSON.stringify(answer.body)).not.toContain("SECRET");
  }
  expect(await operator("PUT", "/tenants/acme/signing-key", { private_key: 5 })).toMatchObject({ status: 422 });
  expect(await operator("PUT", "/tenants/acme/signing-key", [])).toMatchObject({ status: 422 });
});

it("a signing key is sealed with the deployment's new key when it signs, or is shown, so that the old one can go", async () => {
  const file = join(options.stateDir, "mirror-keys");
  const old = readFileSync(file, "utf8").trim();
  const { path } = await repository("rotated");
  await operator("PUT", "/tenants/left");
  await operator("PUT", "/tenants/shown");
  await operator("PUT", "/repos/left/empty");
  await operator("PUT", "/repos/shown/empty");
  for (const tenant of ["acme", "left", "shown"]) await operator("PUT", `/tenants/${tenant}/signing-key`);
  const restart = async (keys: string): Promise<void> => {
    await host.stop();
    writeFileSync(file, `${keys}\n`);
    host = await startTestHost(options);
    ask();
  };
  const signed = (file_: string): object => ({ ...commitOf("main", file_), sign: true });
  const fresh = `fresh:${randomBytes(32).toString("base64")}`;
  await restart(`${fresh},${old}`);
  await ok(`${path}/commits`, signed("a"));
  const before = (await operator("GET", "/tenants/shown/signing-key")).body;
  await restart(fresh);
  await ok(`${path}/commits`, signed("b"));
  expect((await operator("GET", "/tenants/shown/signing-key")).body).toEqual(before);
  expect((await operator("POST", "/repos/shown/empty/commits", signed("c"))).status).toBe(201);
  // One that neither signed nor was shown meanwhile is lost, and the answer says so.
  expect(await operator("POST", "/repos/left/empty/commits", signed("c"))).toMatchObject({
    status: 409,
    body: { code: "no_signing_key" },
  });
});
