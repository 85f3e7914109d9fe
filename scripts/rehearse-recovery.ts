/**
 * Rehearses what `docs/operating.md` says of losses: starts a host, fills it, backs it up, loses one thing after the other,
 * restores it by the documented commands, and says what came back, what did not, and how long it took. Git judges.
 *
 * `npm run rehearse`, with `-- --commits N` for larger histories.
 *
 * @packageDocumentation
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type RunningHost, startHost } from "./host.ts";
import { isJson, textAt } from "./thinpack/json.ts";
import { optionsOrUsage } from "./usage.ts";

const USAGE = `Usage: npm run rehearse -- [options]

Starts a host on this machine, fills it, backs it up, loses one thing after the other, and restores it.

  --commits N     commits of each repository (300)`;

const COMMAND = join(dirname(fileURLToPath(import.meta.url)), "thinpack.mjs");
const TOKEN = "rehearsal";
/** The repositories that are made: each by a push, but for the fork and the mirror. */
const PUSHED = ["acme/open", "acme/closed", "other/closed"];
const ALL = [...PUSHED, "acme/fork", "other/mirror"];
/** Bytes of a file in each commit, in whole digests, and of the object of Git LFS. */
const FILE_BYTES = 6400;
const LFS_BYTES = 1_000_000;
/** How long the host is waited for that works behind its answers. Milliseconds. */
const PATIENCE = 60_000;

const values = optionsOrUsage(USAGE, { commits: { type: "string", default: "300" } });
const commits = Number(values.commits);
const directory = mkdtempSync(join(tmpdir(), "thinpack-rehearsal-"));
const stateDir = join(directory, "state");
const backup = join(directory, "backup");
const key = join(directory, "backup.key");
mkdirSync(join(directory, "home"));
writeFileSync(key, randomBytes(32).toString("base64"));

type Ran = { readonly code: number; readonly out: Buffer; readonly err: string };

async function run(program: string, args: readonly string[], input: Uint8Array | string = ""): Promise<Ran> {
  const child = spawn(program, args, {
    cwd: directory,
    env: {
      PATH: process.env["PATH"],
      HOME: join(directory, "home"),
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.bareRepository",
      GIT_CONFIG_VALUE_0: "all",
    },
  });
  const out: Buffer[] = [];
  let err = "";
  child.stdout.on("data", (piece: Buffer) => out.push(piece));
  child.stderr.on("data", (piece: Buffer) => (err += piece.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? -1)));
  return { code, out: Buffer.concat(out), err };
}

/** Runs git. @throws Error with its words */
async function git(args: readonly string[], input: Uint8Array | string = ""): Promise<string> {
  const { code, out, err } = await run("git", args, input);
  if (code !== 0) throw new Error(`git ${args.join(" ")}: ${err}`);
  return out.toString().trimEnd();
}

async function started(): Promise<RunningHost> {
  const quiet = { publishAfter: "60", allowPrivateUpstreams: true, onLog: () => undefined };
  return await startHost({ stateDir, adminToken: TOKEN, ...quiet });
}

let host = await started();

const remote = (name: string, token = TOKEN): string => `${host.base.replace("://", `://git:${token}@`)}/${name}.git`;

async function ask(method: string, path: string, json?: unknown, accepts = 399): Promise<Record<string, unknown>> {
  const answer = await fetch(`${host.base}${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const text = await answer.text();
  if (answer.status > accepts) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  const value: unknown = text === "" ? {} : JSON.parse(text);
  return isJson(value) ? { ...value } : {};
}

/** Runs `thinpack admin`. Returns what it said, and the seconds that it took. */
async function admin(...args: string[]): Promise<{ readonly said: Record<string, unknown>; readonly seconds: number }> {
  const began = performance.now();
  const line = [COMMAND, "--base", host.base, "--token", TOKEN, "--json", "admin", ...args, "--key", key];
  const { code, out, err } = await run(process.execPath, line);
  if (code !== 0) throw new Error(`thinpack admin ${args.join(" ")}: ${err}`);
  const said: unknown = JSON.parse(out.toString());
  return { said: isJson(said) ? { ...said } : {}, seconds: (performance.now() - began) / 1000 };
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE; !(await isSo());) {
    if (Date.now() > end) throw new Error(`in vain waited for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** Makes a history of its own for each name. */
function* history(name: string): Generator<string> {
  for (let at = 0; at < commits; at++) {
    // Nothing of it is worth compressing, so that the packs are too large to wait in the object.
    const blocks = Array.from({ length: FILE_BYTES / 64 }, (_, block) =>
      createHash("sha256").update(`${name} ${at} ${block}`).digest("hex"),
    );
    const content = blocks.join("");
    const message = `${name} ${at}`;
    yield `commit refs/heads/main\ncommitter A <a@example.com> ${1_700_000_000 + at} +0000\ndata ${message.length}\n${message}\n`;
    yield `M 100644 inline f${at % 50}\ndata ${content.length}\n${content}\n`;
  }
}

const work = (name: string): string => join(directory, "work", name);

async function pushOne(name: string, what: string): Promise<void> {
  const tree = await git(["-C", work(name), "rev-parse", "main^{tree}"]);
  const identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
  const commit = await git(["-C", work(name), ...identity, "commit-tree", "-p", "main", "-m", what, tree]);
  await git(["-C", work(name), "update-ref", "refs/heads/main", commit]);
  await git(["-C", work(name), "push", "-q", remote(name), "main"]);
}

const large = randomBytes(LFS_BYTES);
const oid = createHash("sha256").update(large).digest("hex");

async function batch(operation: "upload" | "download"): Promise<Record<string, unknown>> {
  const answer = await fetch(`${host.base}/acme/closed.git/info/lfs/objects/batch`, {
    method: "POST",
    headers: {
      Authorization: `Basic ${btoa(`git:${TOKEN}`)}`,
      Accept: "application/vnd.git-lfs+json",
      "Content-Type": "application/vnd.git-lfs+json",
    },
    body: JSON.stringify({ operation, objects: [{ oid, size: LFS_BYTES }] }),
  });
  const json: unknown = await answer.json();
  const [object]: unknown[] = isJson(json) && Array.isArray(json["objects"]) ? json["objects"] : [];
  const actions = isJson(object) && isJson(object["actions"]) ? object["actions"] : {};
  const action = actions[operation];
  return isJson(action) ? { ...action } : {};
}

async function lfs(operation: "upload" | "download"): Promise<Buffer> {
  const action = await batch(operation);
  const headers = isJson(action["header"])
    ? Object.fromEntries(Object.entries(action["header"]).map(([name, value]) => [name, String(value)]))
    : {};
  const answer = await fetch(textAt(action, "href"), {
    headers,
    ...(operation === "upload" ? { method: "PUT", body: large } : {}),
  });
  if (!answer.ok) throw new Error(`Git LFS: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

let reader = "";

async function furnish(): Promise<void> {
  for (const tenant of ["acme", "other"]) await ask("PUT", `/api/v1/tenants/${tenant}`, { quotas: { repos: 50 } });
  for (const name of PUSHED) {
    await ask("PUT", `/api/v1/repos/${name}`, { visibility: name.endsWith("open") ? "public" : "private" });
    await git(["init", "-q", "--bare", work(name)]);
    await git(["-C", work(name), "fast-import", "--quiet"], [...history(name)].join(""));
    await git(["-C", work(name), "push", "-q", remote(name), "main", `main~${commits >> 1}:refs/heads/half`]);
  }
  await lfs("upload");
  await ask("POST", "/api/v1/repos/acme/open/forks", { tenant: "acme", repo: "fork" });
  await ask("POST", "/api/v1/repos/acme/closed/hooks", {
    url: "http://localhost:9999/hook",
    secret: "s3cret-of-a-hook",
  });
  await ask("PUT", "/api/v1/repos/other/mirror", {});
  await ask("PUT", "/api/v1/repos/other/mirror/mirror", { upstream: `${host.base}/acme/open.git` });
  await until("the mirror", async () => (await refsOf("other/mirror")).includes("refs/heads/main"));
  // A small push stays in the object for a minute.
  for (const name of PUSHED) await pushOne(name, "a small push");
  const made = await ask("POST", "/api/v1/tenants/acme/tokens", { name: "reader", scopes: ["repo:read"] });
  reader = textAt(made, "token");
}

async function refsOf(name: string): Promise<string> {
  const { code, out } = await run("git", ["ls-remote", remote(name)]);
  return code === 0 ? out.toString() : "lost";
}

/** Whether git clones a repository, and finds it whole. */
async function isWhole(name: string): Promise<boolean> {
  const clone = join(directory, "clone");
  rmSync(clone, { recursive: true, force: true });
  if ((await run("git", ["clone", "-q", "--mirror", remote(name), clone])).code !== 0) return false;
  return (await run("git", ["-C", clone, "fsck", "--full", "--strict"])).code === 0;
}

/** Says what is not as it was; nothing if all is. `wanted` has the refs that each repository may have. */
async function differences(wanted: ReadonlyMap<string, readonly string[]>): Promise<string[]> {
  const found: string[] = [];
  for (const [name, refs] of wanted) {
    // The mirror follows by itself.
    const hasRefs = name === "other/mirror" || refs.includes(await refsOf(name));
    if (!hasRefs || !(await isWhole(name))) found.push(name);
  }
  if ((await run("git", ["ls-remote", remote("acme/closed", reader)])).code !== 0) found.push("a token");
  if (!(await lfs("download").catch(() => Buffer.alloc(0))).equals(large)) found.push("Git LFS");
  const hooks = await ask("GET", "/api/v1/repos/acme/closed/hooks", undefined, 499);
  if (!JSON.stringify(hooks).includes("http://localhost:9999/hook")) found.push("a webhook");
  return found;
}

/** Returns the files of an object's database. */
async function filesOf(namespace: string, name: string | undefined): Promise<string[]> {
  const objects = await host.miniflare.getDurableObjectNamespace(namespace);
  const id = name === undefined ? undefined : objects.idFromName(name).toString();
  const root = join(stateDir, "storage", "do");
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.includes(".sqlite") && (id === undefined || path.includes(id)))
    .map((path) => join(root, path));
}

async function loseFiles(files: readonly string[]): Promise<void> {
  if (files.length === 0) throw new Error("there is nothing to lose");
  await host.stop();
  for (const file of files) rmSync(file, { force: true });
  host = await started();
}

async function loseBucket(): Promise<void> {
  const bucket = await host.miniflare.getR2Bucket("BUCKET");
  for (let page = await bucket.list(); page.objects.length > 0; page = await bucket.list()) {
    await bucket.delete(page.objects.map((object) => object.key));
  }
}

async function loseKv(): Promise<void> {
  const kv = await host.miniflare.getKVNamespace("KV");
  const { keys } = await kv.list();
  for (const { name } of keys) await kv.delete(name);
}

type Loss = { readonly what: string; readonly lose: () => Promise<void>; readonly restore?: readonly string[] };

const LOSSES: readonly Loss[] = [
  {
    what: "one repository's object",
    lose: async () => await loseFiles(await filesOf("REPOSITORIES", "acme/closed")),
    restore: ["--only", "acme/closed"],
  },
  {
    what: "a tenant's object",
    lose: async () => await loseFiles(await filesOf("TENANTS", "acme")),
    restore: ["--only", "acme", "--missing"],
  },
  {
    what: "all objects",
    lose: async () => await loseFiles(await filesOf("REPOSITORIES", undefined)),
    restore: ["--missing"],
  },
  { what: "the bucket", lose: loseBucket, restore: ["--missing"] },
  {
    what: "all objects and the bucket",
    lose: async () => {
      await loseBucket();
      await loseFiles(await filesOf("REPOSITORIES", undefined));
    },
    restore: ["--missing"],
  },
  {
    what: "a repository that was deleted",
    lose: async () => void (await ask("DELETE", "/api/v1/repos/acme/closed")),
    restore: ["--only", "acme/closed"],
  },
  {
    what: "one that lends, deleted",
    lose: async () => void (await ask("DELETE", "/api/v1/repos/acme/open")),
    restore: ["--only", "acme/open"],
  },
  { what: "KV", lose: loseKv },
];

async function rehearse({ what, lose, restore }: Loss): Promise<boolean> {
  await admin("backup", backup);
  const wanted = new Map<string, readonly string[]>();
  for (const name of ALL) wanted.set(name, [await refsOf(name)]);
  const [before = ""] = wanted.get("acme/closed") ?? [];
  await pushOne("acme/closed", "since the backup");
  const since = await refsOf("acme/closed");
  wanted.set("acme/closed", [before, since]);
  await lose();
  const lost = await differences(wanted);
  const done = restore === undefined ? undefined : await admin("restore", backup, ...restore);
  const left = await differences(wanted);
  const figures =
    done === undefined
      ? "-"
      : `${done.seconds.toFixed(1)} s: ${String(done.said["objects"])} objects, ${String(done.said["files"])} files`;
  const pushes = (await refsOf("acme/closed")) === since ? "none" : "that since the backup";
  const cells = [
    what,
    lost.join(", ") || "nothing",
    restore?.join(" ") ?? "-",
    figures,
    pushes,
    left.join(", ") || "nothing",
  ];
  console.log(`| ${cells.join(" | ")} |`);
  // Pushes go on afterwards.
  for (const name of PUSHED) await pushOne(name, `after ${what}`);
  return left.length === 0;
}

try {
  await furnish();
  const first = await admin("backup", backup);
  const again = await admin("backup", backup);
  const check = await admin("backup", backup, "--verify");
  console.log(`first backup: ${first.seconds.toFixed(1)} s, ${JSON.stringify(first.said)}`);
  console.log(`second backup: ${again.seconds.toFixed(1)} s, ${JSON.stringify(again.said)}`);
  console.log(`check: ${check.seconds.toFixed(1)} s, ${JSON.stringify(check.said)}`);
  console.log("\n| lost | what did not work then | restored with | took | pushes lost | still not as it was |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  let isWell = true;
  for (const loss of LOSSES) isWell = (await rehearse(loss)) && isWell;
  process.exitCode = isWell ? 0 : 1;
} finally {
  await host.stop();
  rmSync(directory, { recursive: true, force: true });
}
