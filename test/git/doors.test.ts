/**
 * Every door to a repository, after a secret was pushed, forced away, and the repository made public: nothing of it comes out.
 *
 * The doors are those of the route table. Each has to be listed with what it asks before it answers, so that a new one can't be
 * forgotten; and each is asked for what is gone.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { isolateState } from "../../src/host/begun-request.ts";
import { Meter } from "../../src/host/meter.ts";
import type { IsolateTools } from "../../src/cloudflare/isolate-tools.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { API, DOORS, FACADE, GIT } from "../support/doors.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";
import { subscribe } from "../support/subscriber.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

// The application is made here only for its routes.
vi.mock("cloudflare:workers", () => ({ DurableObject: Object, waitUntil: () => undefined }));

const SECRETS = ["653159", "INTERNAL", "acquisition", "the secret"];
const MISSING = "12".repeat(20);
const PACK_TEXT = "a line of a file that is long enough to be stored as a difference\n".repeat(100);

let host: RunningHost;
let git: GitSandbox;
let operator: ApiClient;
let work = "";
let url = "";
/** When the secret was there. */
let then = "";
/** Names of what was forced away or deleted, and nothing else. */
let gone: string[] = [];
let reachable: string[] = [];
const oids = { commit: "", tree: "", blob: "", tip: "" };

const anybody = async (path: string, init: RequestInit = {}): Promise<Response> => await fetch(host.base + path, init);

/** Gives the routes of the application that name a repository, once each. */
async function routes(): Promise<string[]> {
  const { createApp, LOADED_ROUTES } = await import("../../src/app.ts");
  // Only its routes are looked at.
  const app = createApp({
    version: "0.0.0",
    build: "0.0.0",
    agent: "test",
    tools: {} as IsolateTools,
    meter: new Meter(),
    state: isolateState(),
  });
  for (const [path, load] of Object.entries(LOADED_ROUTES)) app.route(path, await load());
  const named = app.routes.filter(({ path }) => path.includes("/:tenant/:repo"));
  return [...new Set(named.map(({ method, path }) => `${method} ${path}`))];
}

/** Fails where bytes that came out hold a secret, or the name of something that is gone and was not named in the request. */
function expectNothing(bytes: Buffer, asked = ""): void {
  for (const secret of SECRETS) {
    if (!asked.includes(secret)) expect(bytes.includes(secret), `${secret} in the answer to ${asked}`).toBe(false);
  }
  for (const oid of gone) {
    if (!asked.includes(oid)) expect(bytes.includes(oid), `${oid} in the answer to ${asked}`).toBe(false);
    expect(bytes.includes(Buffer.from(oid, "hex")), `${oid}, raw, in the answer to ${asked}`).toBe(false);
  }
}

/** Gives all objects that a directory's repository holds. */
async function objectsOf(cwd: string): Promise<string[]> {
  const list = await git.ok(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"], { cwd });
  return list.split("\n").toSorted();
}

async function listed(...revisions: string[]): Promise<string[]> {
  const list = await git.ok(["rev-list", "--objects", "--no-object-names", ...revisions], { cwd: work });
  return list.split("\n").toSorted();
}

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("doors");
  operator = apiClient(host.base, "test-token");
  await operator("PUT", "/repos/acme/doors");
  url = `${host.base}/acme/doors.git`;
  const remote = withToken(url, "test-token");
  work = await git.init();
  const push = async (...args: string[]): Promise<string> =>
    await git.ok(["push", "-q", remote, ...args], { cwd: work });
  const base = await git.commit(work, "a.txt", "public\n", "base");
  await push("main");
  oids.commit = await git.commit(work, "config", `${PACK_TEXT}pin 653159\n`, "the secret");
  const without = await git.commit(work, "config", `${PACK_TEXT}pin none\n`, "without it");
  await push("main");
  await git.ok(["checkout", "-q", "-b", "acquisition"], { cwd: work });
  const plan = await git.commit(work, "plan.txt", "INTERNAL PLAN\n", "plan");
  await git.ok(["tag", "-a", "-m", "INTERNAL tag", "acquisition-tag"], { cwd: work });
  await push("acquisition", "acquisition-tag");
  then = new Date().toISOString();
  await push(":acquisition", ":acquisition-tag");
  await git.ok(["checkout", "-q", "-B", "main", base], { cwd: work });
  // What is kept has what the commit without the secret had, in one commit.
  oids.tip = await git.commit(work, "config", `${PACK_TEXT}pin none\n`, "squashed");
  await push("--force", "main");
  await operator("PATCH", "/repos/acme/doors", { visibility: "public" });
  reachable = await listed("main");
  const all = await listed(without, plan, "refs/tags/acquisition-tag");
  gone = all.filter((oid) => !reachable.includes(oid));
  oids.tree = await git.ok(["rev-parse", `${oids.commit}^{tree}`], { cwd: work });
  oids.blob = await git.ok(["rev-parse", `${oids.commit}:config`], { cwd: work });
  for (const oid of [oids.commit, oids.tree, oids.blob, plan])
    if (!gone.includes(oid)) throw new Error(`${oid} is not gone`);
});

afterAll(async () => {
  await host.stop();
  git.close();
});

/** What is named in requests: what is gone, and what never was, of one length. */
const named = (): (readonly [string, string])[] => [
  [oids.commit, MISSING],
  [oids.tree, MISSING],
  [oids.blob, MISSING],
  [oids.commit.slice(0, 12), MISSING.slice(0, 12)],
  ["acquisition", "acquisitiom"],
  ["refs/tags/acquisition-tag", "refs/tags/acquisition-tab"],
];

/** Gives the paths that ask a door for `name`. */
function pathsOf(door: string, name: string): string[] {
  const isGit = !door.includes("/api/");
  const path = door
    .replace(/^\w+ /, "")
    .replace("/:tenant/:repo", isGit ? "/acme/doors.git" : "/acme/doors")
    .replace("objects/pack/:file", `objects/pack/pack-${name}.pack`)
    .replaceAll(/:(\w+)(?:\{(?:[^{}]|\{[^{}]*\})*\})?/g, (_, parameter: string) => {
      const values: Readonly<Record<string, string>> = {
        rev: name,
        rev_and_path: `${name}/config`,
        revs: `main...${name}`,
        file: `${name}.tar`,
        oid: name,
        path: "config",
        fan: MISSING.slice(0, 2),
        rest: MISSING.slice(2),
      };
      const value = values[parameter];
      if (value === undefined) throw new Error(`nothing stands for the parameter ${parameter} of ${door}`);
      return value;
    })
    .replaceAll("*", name);
  const more: Readonly<Record<string, readonly string[]>> = {
    [`GET ${API}/refs`]: [`?prefix=refs/heads/${name}`, `?at=${then}`],
    [`GET ${API}/commits`]: [`?rev=${name}`, `?rev=main&path=plan.txt`],
    [`GET ${FACADE}/contents`]: [`?ref=${name}`],
    [`GET ${FACADE}/contents/:path{[^]+}`]: [`?ref=${name}`],
    [`GET ${FACADE}/commits`]: [`?sha=${name}`],
    [`GET ${API}/compare/:revs{[^]+}`]: [],
    [`GET ${GIT}/info/refs`]: ["?service=git-upload-pack"],
  };
  return [path, ...(more[door] ?? []).map((query) => path + query)];
}

describe("the doors of the route table", () => {
  it("are all listed, with what they demand before they answer", async () => {
    const found = await routes();
    expect(found.length).toBeGreaterThan(40);
    expect(Object.keys(DOORS).filter((door) => !found.includes(door))).toEqual([]);
    const others = found.filter((door) => !(door in DOORS));
    // Whatever is left has no other answer than that the method is the wrong one.
    for (const door of others) {
      expect(door, "a door that is not listed").toMatch(/^ALL /);
      const path = door
        .slice("ALL ".length)
        .replace("/:tenant/:repo", door.includes("/api/") ? "/acme/doors" : "/acme/doors.git")
        .replaceAll(/:\w+(?:\{(?:[^{}]|\{[^{}]*\})*\})?/g, "1");
      for (const method of ["PATCH", "QUERY"]) {
        if (`${method} ${door.slice("ALL ".length)}` in DOORS) continue;
        const answer = await anybody(path, { method, headers: { Authorization: "Bearer test-token" } });
        expect(`${door}: ${answer.status}`).toBe(`${door}: 405`);
        await answer.text();
      }
    }
  });

  it("return nothing of what is gone, and answer as if it had never existed", async () => {
    const hidden = Object.entries(DOORS).filter(
      ([, asks]) => !asks.includes("administers") && !asks.includes("writes"),
    );
    let asked = 0;
    for (const [door] of hidden) {
      const method = door.startsWith("ALL") ? "GET" : (door.split(" ")[0] ?? "");
      for (const [name, never] of named()) {
        const seen = async (path: string, word: string): Promise<string> => {
          const answer = await anybody(path, { method });
          const body = Buffer.from(await answer.arrayBuffer());
          expectNothing(body, path);
          const { status, headers } = answer;
          const kept = ["content-type", "etag", "cache-control", "content-length"].map((key) => headers.get(key));
          asked++;
          return (
            JSON.stringify([status, kept, body.toString("latin1")])
              // A ticket has its time in it.
              .replaceAll(/(?<=\\"request_id\\":\\")\w+/g, "REQUEST")
              .replaceAll(/(?<=\\"ticket\\":\\")[\w.-]+/g, "TICKET")
              .replaceAll(word, "NAME")
              // A page links to where the visitor is.
              .replaceAll(encodeURIComponent(word), "NAME")
              .replaceAll(/session-id=[0-9a-f]+/g, "session-id")
              // A page that is rendered has a number of its own in its tag; one that is kept has none.
              .replaceAll(/(?<=W\/\\"[0-9a-f]{32})-[0-9a-f]{16}(?=\\")/g, "")
          );
        };
        const paths = pathsOf(door, never);
        for (const [at, path] of pathsOf(door, name).entries())
          expect(await seen(path, name)).toBe(await seen(paths[at] ?? "", never));
      }
    }
    expect(asked).toBeGreaterThan(200);
  });

  it("that are for some callers only are shut to all others", async () => {
    const shut = Object.entries(DOORS).filter(([, asks]) => asks.includes("administers") || asks.includes("writes"));
    for (const [door] of shut) {
      const [method = "", path = ""] = door.split(" ");
      const json = { headers: { "Content-Type": "application/json" }, body: "{}" };
      const body = ["GET", "DELETE"].includes(method) ? {} : json;
      const { pathname } = new URL(
        path.replace("/:tenant/:repo", path.includes("/api/") ? "/acme/doors" : "/acme/doors.git"),
        "http://x",
      );
      const answer = await anybody(decodeURI(pathname).replaceAll(/:\w+(?:\{[^}]*\})?/g, "1"), { method, ...body });
      // A page asks nobody for a password: it is for those who administer, or is not there; and JSON is no form.
      const isPage = /^(?:GET|POST) \/:tenant\/:repo\/(?:settings(?:\/\w+)?|reflog)$/.test(door);
      const expected = isPage ? (method === "GET" ? 403 : 415) : 401;
      expect(`${door}: ${answer.status}`).toBe(`${door}: ${expected}`);
      expectNothing(Buffer.from(await answer.arrayBuffer()), door);
    }
  });
});

describe("git's client", () => {
  it.each(["0", "1", "2"])("clones what is reachable over version %s, and nothing else", async (version) => {
    const cwd = git.fresh("clone");
    await git.ok(["-c", `protocol.version=${version}`, "clone", "-q", "--mirror", url, cwd]);
    expect(await objectsOf(cwd)).toEqual(reachable);
    await git.fsck(cwd);
  });

  it("is told to use smart HTTP, in words that it shows, when it uses the dumb protocol", async () => {
    // In a repository of its own: on a slow machine maintenance has sorted out by now what went from the other.
    await operator("PUT", "/repos/acme/late", { visibility: "public" });
    const late = `${host.base}/acme/late.git`;
    const other = await git.ok(["commit-tree", "-m", "late", "HEAD^{tree}"], { cwd: work });
    for (const moves of [["main", `${other}:refs/heads/late`], [":refs/heads/late"]]) {
      await git.ok(["push", "-q", withToken(late, "test-token"), ...moves], { cwd: work });
    }
    const { code, stderr } = await git.git(["clone", late, git.fresh()], { env: { GIT_SMART_HTTP: "0" } });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^remote: Dumb HTTP can't serve this repository as it is now: use smart HTTP\.$/m);
    expect(stderr).toMatch(/^fatal: unable to access .* The requested URL returned error: 403$/m);
  });

  it("gets no pack of the bucket that holds what is gone, by any name", async () => {
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    const { objects } = await bucket.list();
    const stored = objects.map(({ key }) => key).filter((key) => key.endsWith(".pack"));
    expect(stored.length).toBeGreaterThanOrEqual(4);
    const listing = await (await anybody("/acme/doors.git/objects/info/packs")).text();
    let given = 0;
    for (const key of stored) {
      const pack = Buffer.from((await (await bucket.get(key))?.arrayBuffer()) ?? []);
      const checksum = pack.toString("hex", pack.length - 20);
      const cwd = await git.init("pack", "--bare");
      await git.ok(["index-pack", "--stdin"], { cwd, input: pack });
      const holds = await objectsOf(cwd);
      const isWhole = holds.every((oid) => reachable.includes(oid));
      const names = [checksum, key.replace(/^.*\/pack-|\.pack$/g, "")];
      for (const file of names.flatMap((name) => [`pack-${name}.pack`, `pack-${name}.idx`])) {
        const answer = await anybody(`/acme/doors.git/objects/pack/${file}`);
        const bytes = Buffer.from(await answer.arrayBuffer());
        if (!isWhole) expect([answer.status, bytes.toString()]).toEqual([404, "Not found.\n"]);
        given += answer.status === 200 ? 1 : 0;
      }
      expect(listing.includes(checksum) && !isWhole).toBe(false);
    }
    // The first push's pack holds what is reachable only.
    expect(given).toBeGreaterThan(0);
  });

  it("fetches on from a commit that is gone, and is sent what it lacks", async () => {
    const cwd = await git.init("knows", "--bare");
    await git.ok(["fetch", "-q", work, `${oids.commit}:refs/heads/main`], {
      cwd,
      env: { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "uploadpack.allowAnySHA1InWant", GIT_CONFIG_VALUE_0: "true" },
    });
    for (const version of ["0", "2"]) {
      await git.ok(["-c", `protocol.version=${version}`, "fetch", "-q", url, `+main:refs/heads/new-${version}`], {
        cwd,
      });
      expect(await git.ok(["rev-parse", `new-${version}`], { cwd })).toBe(oids.tip);
      await git.fsck(cwd);
    }
  });
});

describe("a caller that names what is gone", () => {
  const pkt = (line: string): string =>
    line.length === 4 ? line : `${(line.length + 5).toString(16).padStart(4, "0")}${line}\n`;

  async function upload(lines: readonly string[], version: 0 | 2): Promise<string> {
    const answer = await anybody("/acme/doors.git/git-upload-pack", {
      method: "POST",
      headers: {
        "Content-Type": "application/x-git-upload-pack-request",
        ...(version === 2 ? { "Git-Protocol": "version=2" } : {}),
      },
      body: lines.map(pkt).join(""),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    expectNothing(bytes, lines.join(" "));
    return `${answer.status} ${bytes.toString("latin1")}`;
  }

  it("as a have, a cut or a want in a fetch gets the answer for names that never existed", async () => {
    const head = ["command=fetch", "object-format=sha1", "0001", "no-progress", "ofs-delta"];
    const want = `want ${oids.tip}`;
    const asked: ((oid: string) => string[])[] = [
      (oid) => [...head, want, "thin-pack", `have ${oid}`, "0000"],
      (oid) => [...head, want, "thin-pack", "deepen 1", `have ${oid}`, "done", "0000"],
      (oid) => [...head, want, "thin-pack", "deepen 1", `shallow ${oid}`, `have ${oid}`, "done", "0000"],
      (oid) => [...head, want, `shallow ${oid}`, "deepen 2", "deepen-relative", "done", "0000"],
      (oid) => [...head, `want ${oid}`, "done", "0000"],
      (oid) => ["command=object-info", "object-format=sha1", "0001", "size", `oid ${oid}`, "0000"],
    ];
    const before: ((oid: string) => string[])[] = [
      (oid) => [`${want} multi_ack_detailed no-done thin-pack`, "0000", `have ${oid}`, "0000"],
      (oid) => [`${want} thin-pack`, `shallow ${oid}`, "deepen 1", "0000", `have ${oid}`, "done"],
    ];
    for (const oid of [oids.commit, oids.tree, oids.blob, ...gone.slice(0, 5)]) {
      for (const lines of asked)
        expect((await upload(lines(oid), 2)).replaceAll(oid, "NAME")).toBe(
          (await upload(lines(MISSING), 2)).replaceAll(MISSING, "NAME"),
        );
      for (const lines of before) expect(await upload(lines(oid), 0)).toBe(await upload(lines(MISSING), 0));
    }
  });

  it("in a cursor gets the answer for a cursor that was made up", async () => {
    const base = "/api/v1/repos/acme/doors";
    const cursors: readonly [string, (oid: string) => object][] = [
      ["commits?rev=main&limit=1", (oid) => ({ tip: oid, path: "", walked: 1, oldest: 0, next: [oid] })],
      ["commits?rev=main&limit=1", (oid) => ({ tip: oids.tip, path: "", walked: 1, oldest: 0, next: [oid] })],
      ["tree/main?limit=1", (tree) => ({ tree, at: 1 })],
      ["commits/main?limit=1", (commit) => ({ commit, behind: "a" })],
      ["diff/main..main?limit=1", (before) => ({ before, after: oids.tip, behind: "a" })],
      ["last-changes/main?limit=1", (oid) => ({ commit: oids.tip, at: 0, pending: [[oid, [0, 1]]] })],
      [
        "blame/main/config?",
        (oid) => ({ commit: oids.tip, by: "exact ", rest: 1, pending: [[oid, "config", [0, 1, 0]]] }),
      ],
      ["activity/main?", (oid) => ({ tip: oid, path: "", walked: 1, oldest: 0, next: [oid] })],
      ["activity/main?", (oid) => ({ tip: oids.tip, path: "", walked: 1, oldest: 0, next: [oid] })],
      ["search?q=a&limit=1", (tree) => ({ tree, behind: null, line: 0 })],
      ["files/main?limit=1", (tree) => ({ tree, behind: "a" })],
      ["compare/main...main?limit=1", (from) => ({ from, to: oids.tip, at: 1 })],
    ];
    for (const [path, cursor] of cursors) {
      for (const oid of [oids.commit, oids.tree, oids.blob]) {
        const ask = async (name: string): Promise<string> => {
          const text = Buffer.from(JSON.stringify(cursor(name))).toString("base64url");
          const answer = await anybody(`${base}/${path}&cursor=${text}`);
          const body = Buffer.from(await answer.arrayBuffer());
          expectNothing(body, path);
          return `${answer.status} ${body.toString("latin1")}`;
        };
        const told = await ask(oid);
        expect(told).toBe(await ask(MISSING));
        expect(told).toMatch(/^(422|409) /);
      }
    }
  });

  it("by an instant gets nothing of that time", async () => {
    const refs = await anybody(`/api/v1/repos/acme/doors/refs?at=${then}`);
    expect(refs.status).toBe(404);
    expectNothing(Buffer.from(await refs.arrayBuffer()));
    const { code, stderr } = await git.git(["ls-remote", url.replace(/\.git$/, `@${then}.git`)]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      /remote: Only a mirror, and a repository whose owner has its past shown, can be read as it was/,
    );
  });

  it("by subscribing from the beginning hears of what came since the repository was public, and of nothing before", async () => {
    const subscriber = await subscribe(`${host.base}/api/v1/repos/acme/doors/events?since=0`);
    await git.ok(["push", "-q", withToken(url, "test-token"), "main:refs/heads/later"], { cwd: work });
    await vi.waitFor(() => expect(subscriber.messages.length).toBeGreaterThan(0), { timeout: WAIT_LIMIT });
    subscriber.close();
    expectNothing(Buffer.from(JSON.stringify([subscriber.messages, subscriber.others])));
    expect(subscriber.messages.map(({ type, name, new: oid }) => `${type} ${name} ${oid}`)).toEqual([
      `ref refs/heads/later ${oids.tip}`,
    ]);
    // Whoever administers it is told all.
    const all = await subscribe(`${host.base}/api/v1/repos/acme/doors/events?since=0`, "test-token");
    await vi.waitFor(() => expect(all.messages.length).toBeGreaterThan(6), { timeout: WAIT_LIMIT });
    all.close();
    expect(JSON.stringify(all.messages)).toContain("acquisition");
  });

  it("by subscribing with a token hears of what came since the token was made, and of nothing before", async () => {
    const base = `${host.base}/api/v1/repos/acme/sealed`;
    await operator("PUT", "/repos/acme/sealed");
    const remote = withToken(`${host.base}/acme/sealed.git`, "test-token");
    const push = async (...args: string[]): Promise<string> =>
      await git.ok(["push", "-q", remote, ...args], { cwd: work });
    await push("main");
    await push(`${oids.commit}:refs/heads/acquisition`);
    await push(":acquisition");
    const issued = await operator("POST", "/tenants/acme/tokens", { name: "ci", scopes: ["repo:read"] });
    const token = String(issued.body["token"]);
    const heard = async (given: string | undefined, since: number, least: number): Promise<string[]> => {
      const subscriber = await subscribe(`${base}/events?since=${since}`, given);
      await vi.waitFor(() => expect(subscriber.messages.length).toBeGreaterThanOrEqual(least), {
        timeout: WAIT_LIMIT,
      });
      subscriber.close();
      return subscriber.messages.map(({ type, name }) => (name === undefined ? type : `${type} ${name}`));
    };
    await push("main:refs/heads/later");
    expect(await heard(token, 0, 1)).toEqual(["ref refs/heads/later"]);
    // A place from before the token is one it can't have been told.
    expect(await heard(token, 1, 1)).toEqual(["gap"]);
    const all = ["main", "acquisition", "acquisition", "later"].map((name) => `ref refs/heads/${name}`);
    expect((await heard("test-token", 0, 4)).toSorted()).toEqual(all.toSorted());
    // A token is told no less than anybody is.
    await operator("PATCH", "/repos/acme/sealed", { visibility: "public" });
    await push("main:refs/heads/open");
    const late = await operator("POST", "/tenants/acme/tokens", { name: "late", scopes: ["repo:read"] });
    expect(await heard(undefined, 0, 1)).toEqual(["ref refs/heads/open"]);
    expect(await heard(String(late.body["token"]), 0, 1)).toEqual(["ref refs/heads/open"]);
    // An older token keeps what it knew.
    expect(await heard(token, 0, 2)).toEqual(["ref refs/heads/later", "ref refs/heads/open"]);
  });
});
