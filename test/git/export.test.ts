/**
 * Copies of a repository, made beside pushes, from hosts that are not honest, over what is there already, and interrupted.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { type Ask, ApiConnection } from "../../scripts/thinpack/api-connection.ts";
import { exportRepository } from "../../scripts/thinpack/export-repository.ts";
import { formatThing, printable } from "../../scripts/thinpack/output.ts";
import { startCommand } from "../support/command.ts";
import { GitSandbox, refsOf, withToken } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const git = new GitSandbox("export");
let host: RunningHost;
let source = "";

beforeAll(async () => {
  host = await startTestHost();
  source = git.fresh("source");
  await git.ok(["clone", "-q", await importFixture(git, "fixture", linear(20)), source]);
});
afterAll(async () => {
  await host.stop();
  git.close();
});

const urlOf = (name: string): string => withToken(`${host.base}/acme/${name}.git`, "test-token");

async function pushed(name: string): Promise<void> {
  await git.ok(["push", "-q", urlOf(name), "main", "HEAD:refs/heads/side"], { cwd: source });
}

/** Commits, and pushes to one branch that moves forward, to one that is rewritten and to one that is new. */
async function pushMore(name: string, round: number): Promise<void> {
  await git.commit(source, "more.txt", `${name} ${round}\n`);
  const other = await git.ok(["commit-tree", "-m", `side ${round}`, "HEAD^{tree}"], { cwd: source });
  const refspecs = ["main", `+${other}:refs/heads/side`, `${other}:refs/heads/new-${round}`];
  await git.ok(["push", "-q", urlOf(name), ...refspecs], { cwd: source });
}

/** Does something between the list and the first file. */
class InterruptedApi extends ApiConnection {
  readonly #between: () => Promise<void>;
  constructor(between: () => Promise<void>) {
    super({ base: host.base, token: "test-token" });
    this.#between = between;
  }
  override async send(method: string, path: string, ask: Ask = {}): Promise<Response> {
    const answer = await super.send(method, path, ask);
    if (path.endsWith("/export")) await this.#between();
    return answer;
  }
}

describe("a copy of a repository that is made beside pushes", () => {
  it("is one version, if it is an export, twenty times", async () => {
    await pushed("busy");
    for (let round = 0; round < 20; round++) {
      const directory = git.fresh("copy");
      const before = await git.ok(["ls-remote", urlOf("busy"), "refs/*"]);
      const api = new InterruptedApi(() => pushMore("busy", round));
      const { refs } = await exportRepository(api, "/repos/acme/busy", { directory });
      expect(refs).toBe(round + 2);
      const rows = before.split("\n").map((line) => line.split("\t").toReversed().join(" "));
      expect(await refsOf(git, directory)).toEqual(rows.toSorted());
      await git.fsck(directory);
    }
  });

  it("is a valid repository, if it is a copy of the bucket in two runs, refs first", async () => {
    await pushed("backed-up");
    const bucket = await host.miniflare.getR2Bucket("BUCKET");
    const shown = await new ApiConnection({ base: host.base, token: "test-token" }).ask("GET", "/repos/acme/backed-up");
    const id = String(shown["id"]);
    const prefix = `repos/${id}.git/`;
    await vi.waitFor(async () => expect(await bucket.head(`${prefix}HEAD`)).not.toBeNull(), {
      timeout: WAIT_LIMIT,
      interval: 200,
    });
    const directory = git.fresh("backup");
    let pushes = 0;
    // As `rclone copy` does: it lists, then copies what it listed. Pushes land after the list and halfway through.
    const copy = async (objects: boolean): Promise<void> => {
      const { objects: listed } = await bucket.list({ prefix });
      const wanted = listed.filter(({ key }) => key.includes("/objects/") === objects);
      for (const [at, { key }] of wanted.entries()) {
        if (at === 0 || at === wanted.length >> 1) await pushMore("backed-up", pushes++);
        const file = await bucket.get(key);
        const target = join(directory, key.slice(prefix.length));
        mkdirSync(dirname(target), { recursive: true });
        if (file !== null) writeFileSync(target, Buffer.from(await file.arrayBuffer()));
      }
    };
    for (let round = 0; round < 2; round++) {
      await copy(false);
      await pushMore("backed-up", pushes++);
      await copy(true);
      await git.fsck(directory);
      const main = await git.ok(["rev-parse", "main"], { cwd: directory });
      await git.ok(["merge-base", "--is-ancestor", main, "main"], { cwd: source });
    }
    expect(pushes).toBe(10);
  });
});

type Answers = { files: { key: string; size: number }[]; head: string; packedRefs: string; format: string };

describe("an export from a host that is not honest", () => {
  const contents = new Map<string, Buffer>();
  let honest: Answers;

  beforeAll(async () => {
    const bare = git.fresh("bare");
    await git.ok(["clone", "-q", "--bare", source, bare]);
    await git.ok(["repack", "-qad"], { cwd: bare });
    const names = readdirSync(join(bare, "objects", "pack")).filter((name) => /\.(pack|idx)$/.test(name));
    for (const name of names) contents.set(`objects/pack/${name}`, readFileSync(join(bare, "objects", "pack", name)));
    honest = {
      files: [...contents].map(([key, bytes]) => ({ key, size: bytes.length })),
      head: "ref: refs/heads/main\n",
      packedRefs: `${await git.ok(["rev-parse", "main"], { cwd: bare })} refs/heads/main\n`,
      format: "sha1",
    };
  });

  /** Exports from a host that says all this; gives where it was written to. */
  async function exportFrom(
    said: Partial<Answers>,
    bytes: ReadonlyMap<string, Buffer | ReadableStream> = contents,
  ): Promise<string> {
    const { files, head, packedRefs, format } = { ...honest, ...said };
    class CannedApi extends ApiConnection {
      override async send(_method: string, path: string): Promise<Response> {
        const [, key] = path.split("/export/");
        if (key !== undefined) return new Response(bytes.get(key) ?? "text\n");
        const texts = {
          HEAD: Buffer.from(head).toString("base64"),
          "packed-refs": Buffer.from(packedRefs).toString("base64"),
        };
        return Response.json({ id: "x", version: 1, object_format: format, files, contents: texts });
      }
    }
    const directory = join(git.fresh("evil"), "copy.git");
    try {
      await exportRepository(new CannedApi({ base: "http://host.invalid", token: "x" }), "/repos/a/b", { directory });
    } catch (error) {
      expect(readdirSync(dirname(directory))).toEqual([]);
      throw error;
    }
    return directory;
  }

  it("takes what is whole, and lets the host write no configuration", async () => {
    const directory = await exportFrom({ packedRefs: `# pack-refs with: sorted\n${honest.packedRefs}` });
    await git.fsck(directory);
    expect(readFileSync(join(directory, "config"), "utf8")).toBe(
      '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n[thinpack]\n\trepository = "a/b"\n',
    );
    expect(readdirSync(directory).toSorted()).toEqual(["HEAD", "config", "info", "objects", "packed-refs", "refs"]);
  });

  it.each([
    "config",
    "config.worktree",
    "commondir",
    "hooks/post-update",
    "info/attributes",
    "objects/info/alternates",
    "objects/pack/../../config",
    "../outside",
    "/etc/passwd",
    `objects/pack/pack-${"a".repeat(40)}.kinds`,
    "objects/pack/pack-x.pack",
  ])("refuses a listed file %s", async (key) => {
    await expect(exportFrom({ files: [...honest.files, { key, size: 5 }] })).rejects.toThrow("no file of a pack");
  });

  it.each([
    "",
    "ref: refs/heads/main",
    "ref: HEAD\n",
    "ref: refs/heads/../x\n",
    `${"a".repeat(40)}\n`,
    "ref: refs/a b\n",
  ])("refuses a HEAD of %j", async (head) => {
    await expect(exportFrom({ head })).rejects.toThrow("the host's HEAD is not valid");
  });

  it.each([
    [`${"a".repeat(40)} refs/heads/..\n`, "is no name of a ref"],
    [`${"a".repeat(40)} ORIG_HEAD\n`, "is no name of a ref"],
    [`${"a".repeat(64)} refs/heads/main\n`, "no object name of this format"],
    ["nonsense\n", "packed-refs is not valid"],
    [`${"a".repeat(40)} refs/heads/main\n`, `the host's packs lack ${"a".repeat(40)}, which a ref names`],
  ])("refuses packed-refs of %j", async (packedRefs, why) => {
    await expect(exportFrom({ packedRefs })).rejects.toThrow(why);
  });

  it("refuses fewer bytes, changed bytes and another pack's bytes", async () => {
    const changed = (change: (bytes: Buffer, key: string) => Buffer): Map<string, Buffer> =>
      new Map([...contents].map(([key, bytes]) => [key, change(bytes, key)]));
    const flipped = (bytes: Buffer): Buffer => {
      const other = Buffer.from(bytes);
      other[100] = (other[100] ?? 0) ^ 1;
      return other;
    };
    await expect(
      exportFrom(
        {},
        changed((bytes) => bytes.subarray(1)),
      ),
    ).rejects.toThrow(/has \d+ bytes and not/);
    await expect(exportFrom({}, changed(flipped))).rejects.toThrow("its checksum is wrong");
    const foreign = (bytes: Buffer, key: string): Buffer => {
      if (!key.endsWith(".idx")) return bytes;
      const other = Buffer.from(bytes.subarray(0, -20));
      other[other.length - 1] = (other[other.length - 1] ?? 0) ^ 1;
      return Buffer.concat([other, createHash("sha1").update(other).digest()]);
    };
    await expect(exportFrom({}, changed(foreign))).rejects.toThrow("belongs to another pack");
    const [first] = honest.files;
    await expect(exportFrom({ files: [...honest.files, ...(first === undefined ? [] : [first])] })).rejects.toThrow(
      "lists a file twice",
    );
    await expect(exportFrom({ files: honest.files.slice(1) })).rejects.toThrow("the host lists no objects/pack/");
    await expect(exportFrom({ format: "md5" })).rejects.toThrow("have to be of one version");
  });

  it("stops reading a file that is longer than was listed", async () => {
    const [first] = honest.files;
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });
    const key = first?.key ?? "";
    const bytes = new Map<string, Buffer | ReadableStream>([...contents, [key, endless]]);
    await expect(exportFrom({}, bytes)).rejects.toThrow("there are more");
  });

  it("refuses an index that gives an object another name", async () => {
    const renamed = (bytes: Buffer, key: string): Buffer => {
      if (!key.endsWith(".idx")) return bytes;
      const other = Buffer.from(bytes.subarray(0, -20));
      // The last byte of the first name: the order stays as it is.
      const at = 8 + 1024 + 19;
      other[at] = (other[at] ?? 0) ^ 1;
      return Buffer.concat([other, createHash("sha1").update(other).digest()]);
    };
    const lying = new Map([...contents].map(([key, bytes]) => [key, renamed(bytes, key)]));
    await expect(exportFrom({}, lying)).rejects.toThrow("does not tell the truth");
  });

  it("refuses a commit-graph that gives a commit another date", async () => {
    const bare = git.fresh("graphed");
    await git.ok(["clone", "-q", "--bare", source, bare]);
    await git.ok(["commit-graph", "write", "--reachable"], { cwd: bare });
    const graph = readFileSync(join(bare, "objects", "info", "commit-graph"));
    const key = `objects/pack/pack-${"a".repeat(40)}.graph`;
    const exportWith = async (bytes: Buffer): Promise<string> => {
      const files = [...honest.files, { key, size: bytes.length }];
      return await exportFrom({ files }, new Map([...contents, [key, bytes]]));
    };
    await git.ok(["commit-graph", "verify"], { cwd: await exportWith(graph) });
    // The first row of the chunk CDAT: a tree, two parents, a generation, a date.
    const entry = graph.indexOf("CDAT");
    const at = Number(graph.readBigUInt64BE(entry + 4)) + 20 + 8 + 7;
    const lying = Buffer.from(graph.subarray(0, -20));
    lying[at] = (lying[at] ?? 0) ^ 1;
    const signed = Buffer.concat([lying, createHash("sha1").update(lying).digest()]);
    await expect(exportWith(signed)).rejects.toThrow("commit-graph does not tell the truth");
  });

  it("takes no bitmap, which git would believe", async () => {
    const pack = honest.files[0]?.key.replace(/\.[a-z]+$/, "") ?? "";
    const directory = await exportFrom({ files: [...honest.files, { key: `${pack}.bitmap`, size: 5 }] });
    const kinds = readdirSync(join(directory, "objects", "pack")).map((name) => name.replace(/.*\./, ""));
    expect(new Set(kinds)).toEqual(new Set(["idx", "pack"]));
  });
});

describe("a host that is not honest", () => {
  /** Answers each request as `answer` says, on a port of its own. */
  async function hostile(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return server;
  }
  const baseOf = (server: Server): string => {
    const address = server.address();
    return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  };
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });
  async function api(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<ApiConnection> {
    const server = await hostile(answer);
    servers.push(server);
    return new ApiConnection({ base: baseOf(server), token: "secret" });
  }

  it("gets no request sent elsewhere, and a redirect within it is followed", async () => {
    const asked: string[] = [];
    const other = await hostile((request, response) => {
      asked.push(`${request.url ?? ""} ${request.headers.authorization ?? ""}`);
      response.end("{}");
    });
    servers.push(other);
    const elsewhere = await api((_, response) => response.writeHead(307, { Location: `${baseOf(other)}/x` }).end());
    await expect(elsewhere.ask("GET", "/repos")).rejects.toThrow("which is not followed");
    expect(asked).toEqual([]);
    const around = await api((_, response) => response.writeHead(308, { Location: "/again" }).end());
    await expect(around.ask("GET", "/repos")).rejects.toThrow("redirects more than 5 times");
    const moved = await api((request, response) => {
      if (request.url === "/moved") response.end(JSON.stringify({ token: request.headers.authorization }));
      else response.writeHead(308, { Location: "/moved" }).end();
    });
    expect(await moved.ask("GET", "/repos")).toEqual({ token: "Bearer secret" });
  });

  it("is not read without end, when it refuses or lists pages", async () => {
    const endless = await api((_, response) => {
      response.writeHead(500);
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
        response.once("drain", more);
      };
      more();
    });
    await expect(endless.ask("GET", "/repos")).rejects.toThrow(/^x{65536,1000000}$/);
    const pages = await api((_, response) => response.end(JSON.stringify({ repos: [{}], cursor: "again" })));
    await expect(pages.list("/repos", "repos")).rejects.toThrow("the same page twice");
  });

  it("moves no cursor of the user's terminal", async () => {
    expect(printable("a\u001b[2Jb\u009b31m\rc\nd")).toBe("a [2Jb 31m c\nd");
    expect(formatThing({ "\u001b[2Jname": "x" })).toBe(" [2Jname  x");
  });
});

describe("the directory of an export", () => {
  const api = (): ApiConnection => new ApiConnection({ base: host.base, token: "test-token" });
  const copyTo = (directory: string): Promise<unknown> => exportRepository(api(), "/repos/acme/placed", { directory });
  beforeAll(() => pushed("placed"));

  it("is refused in git's words if it is not empty, or is a file", async () => {
    const [full, file] = [git.fresh("full"), git.fresh("file")];
    mkdirSync(full);
    writeFileSync(join(full, "config"), "important\n");
    writeFileSync(file, "important\n");
    for (const path of [full, file]) {
      await expect(copyTo(path)).rejects.toThrow(
        `fatal: destination path '${path}' already exists and is not an empty directory.`,
      );
    }
    expect(readdirSync(full)).toEqual(["config"]);
    expect(readFileSync(join(full, "config"), "utf8")).toBe("important\n");
    const ran = await startCommand(git, ["export", "acme/placed", full, "--base", host.base, "--token", "test-token"])
      .ended;
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toBe(`fatal: destination path '${full}' already exists and is not an empty directory.\n`);
  });

  it("may be empty, a link to an empty one, or below directories that do not exist yet", async () => {
    const [empty, link, behind] = [git.fresh("empty"), git.fresh("link"), git.fresh("behind")];
    mkdirSync(empty);
    mkdirSync(behind);
    symlinkSync(behind, link);
    const below = join(git.fresh("new"), "a", "b.git");
    for (const path of [empty, link, below]) {
      await copyTo(path);
      await git.fsck(path);
      expect(readdirSync(path).some((name) => name.includes("export-"))).toBe(false);
    }
  });

  it("may be the user's current directory", async () => {
    const cwd = git.fresh("here");
    mkdirSync(cwd);
    const args = ["export", "acme/placed", ".", "--base", host.base, "--token", "test-token"];
    expect(await startCommand(git, args, { cwd }).ended).toMatchObject({ code: 0 });
    await git.fsck(cwd);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("is gone after %s", async (signal) => {
    let asked = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (asked = resolve));
    const hex = "a".repeat(40);
    const files = ["pack", "idx"].map((kind) => ({ key: `objects/pack/pack-${hex}.${kind}`, size: 1000 }));
    const texts = { HEAD: Buffer.from("ref: refs/heads/main\n").toString("base64"), "packed-refs": "" };
    const slow: Server = createServer((request, response) => {
      if (request.url?.endsWith("/export") === true) {
        response.end(JSON.stringify({ object_format: "sha1", files, contents: texts }));
        return;
      }
      response.write("PACK");
      asked();
    });
    slow.listen(0, "127.0.0.1");
    await once(slow, "listening");
    const base = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    const parent = git.fresh("interrupted");
    mkdirSync(parent);
    const { child, ended } = startCommand(git, ["export", "a/b", join(parent, "b"), "--base", base, "--token", "x"]);
    await waiting;
    expect(readdirSync(parent)).toHaveLength(1);
    child.kill(signal);
    expect((await ended).code).toBe(signal === "SIGINT" ? 130 : 143);
    expect(readdirSync(parent)).toEqual([]);
    expect(existsSync(join(parent, "b"))).toBe(false);
    slow.closeAllConnections();
    slow.close();
  });
});
