/**
 * While a request does much work for a stranger, others are served: what is asked after it began is answered before it ends, and what
 * goes past a budget is refused by its name, or breaks off. Counted in what is answered first, never in time.
 */
import { request as httpRequest } from "node:http";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { binaryLiteral } from "../../src/diff/binary-patch.ts";
import { buildPack, commitOf, objectId, pushBody, type RawEntry, reportLines, treeOf } from "../support/git-raw.ts";
import {
  bombPack,
  directoryPack,
  type HostilePack,
  longSection,
  starredFiles,
  tagChainPack,
} from "../support/hostile.ts";
import { startTestHost } from "../support/host.ts";

let host: RunningHost;
const operator = { Authorization: "Bearer test-token" };

/** Makes a public repository, and gives its path. */
async function made(name: string): Promise<string> {
  const url = `${host.base}/api/v1/repos/acme/${name}`;
  const answer = await fetch(url, { method: "PUT", headers: { ...operator, "Content-Type": "application/json" }, body: JSON.stringify({ visibility: "public" }) }); // prettier-ignore
  expect(answer.status).toBe(201);
  return `acme/${name}`;
}

async function push(path: string, refs: Readonly<Record<string, string>>, pack: Uint8Array): Promise<string[]> {
  const commands = Object.entries(refs).map(([name, oid]) => ({ name, new: oid }));
  const headers = { ...operator, "Content-Type": "application/x-git-receive-pack-request" };
  const body = new Uint8Array(pushBody(commands, pack));
  const answer = await fetch(`${host.base}/${path}.git/git-receive-pack`, { method: "POST", headers, body });
  expect(answer.status).toBe(200);
  return reportLines(Buffer.from(await answer.arrayBuffer()));
}

/** Makes a repository with a hostile pack on its main branch. */
async function planted(name: string, { pack, tip }: HostilePack): Promise<string> {
  const path = await made(name);
  expect(await push(path, { "refs/heads/main": tip }, pack)).toEqual(["unpack ok", "ok refs/heads/main"]);
  return path;
}

/** Asks whether the host is alive, over a connection of its own. */
async function healthz(): Promise<number> {
  return await new Promise((resolve, reject) => {
    httpRequest(`${host.base}/healthz`, { agent: false }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    })
      .on("error", reject)
      .end();
  });
}

/** Counts how often the host answers others while something is under way. */
async function servedMeanwhile<T>(work: Promise<T>): Promise<{ readonly result: T; readonly served: number }> {
  const over = work.then(() => true);
  let served = 0;
  // whichever comes first of the answer and the end
  while (!(await Promise.race([over, healthz().then((status) => status !== 200)]))) served++;
  return { result: await work, served };
}

/** Downloads, and gives the status, whether the transfer came to its end, and how much of it came. */
async function download(path: string): Promise<{ status: number; isWhole: boolean; bytes: number; text: string }> {
  const answer = await fetch(`${host.base}/api/v1/repos/${path}`);
  let bytes = 0;
  let text = "";
  try {
    for await (const piece of answer.body ?? []) {
      bytes += piece.length;
      if (text.length < 1000) text += Buffer.from(piece).toString("latin1");
    }
    return { status: answer.status, isWhole: true, bytes, text };
  } catch {
    return { status: answer.status, isWhole: false, bytes, text };
  }
}

beforeAll(async () => {
  host = await startTestHost();
});

afterAll(async () => {
  await host.stop();
});

describe("others are served", () => {
  it("while an archive is endless, which then breaks off", async () => {
    const path = await planted("bomb", bombPack(20, 10));
    const { result, served } = await servedMeanwhile(download(`${path}/archive/main.tar.gz`));
    expect(result).toMatchObject({ status: 200, isWhole: false });
    expect(result.bytes).toBeGreaterThan(0);
    expect(served).toBeGreaterThan(5);
  });

  it("while patterns exceed their budget, which the error then names", async () => {
    const stars = `*${"?*".repeat(120)}[xy]*z*a export-ignore\n`;
    const names = Array.from({ length: 300 }, (_, i): [string, string] => [`${"a".repeat(1000)}${1000 + i}za`, ""]);
    const path = await planted(
      "patterns",
      directoryPack({ ".gitattributes": stars.repeat(500), ...Object.fromEntries(names) }),
    );
    const { result, served } = await servedMeanwhile(download(`${path}/archive/main.tar`));
    expect(result.status).toBe(413);
    expect(JSON.parse(result.text)).toMatchObject({ detail: expect.stringContaining(".gitattributes") });
    expect(served).toBeGreaterThan(2);
  });

  it("while a log that lists nothing is read, page by page", async () => {
    const blob = objectId("blob", "");
    const rows = Array.from({ length: 20_000 }, (_, i): [string, string, string] => ["100644", `f${10_000 + i}`, blob]);
    const wide = treeOf(...rows);
    const entries: RawEntry[] = [
      { type: "blob", content: "" },
      { type: "tree", content: wide },
    ];
    let tip = "";
    for (let i = 0; i < 1000; i++) {
      const root = treeOf(["100644", `a${i}`, blob], ["40000", "wide", objectId("tree", wide)]);
      const content = commitOf(objectId("tree", root), tip === "" ? [] : [tip]);
      tip = objectId("commit", content);
      entries.push({ type: "tree", content: root }, { type: "commit", content });
    }
    const path = await planted("wide", { pack: buildPack(entries), tip, tree: "", tags: [] });
    const { result, served } = await servedMeanwhile(download(`${path}/commits?path=wide/nothing`));
    expect(result.status).toBe(200);
    expect(JSON.parse(result.text)).toMatchObject({ commits: [], cursor: expect.any(String) });
    expect(served).toBeGreaterThan(2);
  });

  it("while small packs inflate to large objects that are checked", async () => {
    const path = await made("modules");
    const files = Array.from({ length: 12 }, (_, i): [string, string] => [`d${i}`, longSection(500_000 + i, 700_000)]);
    const blobs = files.map(([, content]): RawEntry => ({ type: "blob", content }));
    const trees = blobs.map(({ content }) => treeOf(["100644", ".gitmodules", objectId("blob", content)]));
    const root = treeOf(
      ...trees.map((tree, i): [string, string, string] => ["40000", `d${100 + i}`, objectId("tree", tree)]),
    );
    const commit = commitOf(objectId("tree", root));
    const objects = [...trees, root].map((content): RawEntry => ({ type: "tree", content }));
    const pack = buildPack([...objects, ...blobs, { type: "commit", content: commit }]);
    expect(pack.length).toBeLessThan(200_000);
    const { result, served } = await servedMeanwhile(
      push(path, { "refs/heads/main": objectId("commit", commit) }, pack),
    );
    expect(result).toEqual(["unpack ok", "ok refs/heads/main"]);
    expect(served).toBeGreaterThan(2);
  });
});

describe("a tree in the shape of GitHub", () => {
  it.each(["", "?recursive=1"])("is cut before its answer is large, and others are served: %s", async (query) => {
    const rows = Array.from({ length: 20_000 }, (_, at): [string, string] => [`f${10_000 + at}`, "x"]);
    const path = await planted(
      `tree${query.length}`,
      query === "" ? directoryPack(Object.fromEntries(rows)) : bombPack(10, 10),
    );
    const answer = await fetch(`${host.base}/api/v3/repos/${path}/git/trees/main${query}`);
    const text = await answer.text();
    expect(text.length).toBeLessThan(4 * 1024 * 1024);
    const shape: unknown = JSON.parse(text);
    expect(shape).toMatchObject({ truncated: true, sha: expect.any(String), tree: expect.any(Array) });
    const { served } = await servedMeanwhile(fetch(`${host.base}/api/v3/repos/${path}/git/trees/main${query}`));
    expect(served).toBeGreaterThan(0);
  });
});

describe("a log of commits with large messages", () => {
  it("has pages that end before they are full", async () => {
    const tree = treeOf(["100644", "f", objectId("blob", "")]);
    const entries: RawEntry[] = [
      { type: "blob", content: "" },
      { type: "tree", content: tree },
    ];
    let tip = "";
    for (let at = 0; at < 20; at++) {
      const head = commitOf(objectId("tree", tree), tip === "" ? [] : [tip]);
      const content = Buffer.concat([Buffer.from(head), Buffer.from(`${at}`.repeat(300_000))]);
      tip = objectId("commit", content);
      entries.push({ type: "commit", content });
    }
    const path = await planted("wordy", { pack: buildPack(entries), tip, tree: "", tags: [] });
    const page = await (await fetch(`${host.base}/api/v1/repos/${path}/commits?limit=100`)).text();
    expect(page.length).toBeLessThan(3_000_000);
    expect(JSON.parse(page)).toMatchObject({ cursor: expect.any(String) });
    const answer = await fetch(`${host.base}/api/v3/repos/${path}/commits?per_page=100`);
    expect(answer.headers.get("Link")).toContain('rel="next"');
    expect((await answer.text()).length).toBeLessThan(3_000_000);
  });
});

/** Commits a patch, and gives the status and the body. */
async function patched(path: string, patch: string): Promise<{ readonly status: number; readonly text: string }> {
  const url = `${host.base}/api/v1/repos/${path}/commits?branch=p&base=main&message=m&dry_run=true`;
  const headers = { ...operator, "Content-Type": "text/x-patch" };
  const answer = await fetch(url, { method: "POST", headers, body: Buffer.from(patch, "latin1") });
  return { status: answer.status, text: await answer.text() };
}

/** Returns a patch that makes `count` files of one line. */
function newFiles(count: number): string {
  return Array.from({ length: count }, (_, at) => {
    const head = `diff --git a/f${at} b/f${at}\nnew file mode 100644\n--- /dev/null\n+++ b/f${at}\n`;
    return `${head}@@ -0,0 +1 @@\n+${at}\n`;
  }).join("");
}

describe("a small patch", () => {
  let path = "";
  const content = Buffer.alloc(3_900_000, "x");
  beforeAll(async () => {
    path = await planted("patched", directoryPack({ big: content }));
  });

  it("is refused if it has more files than a commit has actions", async () => {
    const { status, text } = await patched(path, newFiles(10_001));
    expect({ status, text }).toMatchObject({ status: 413, text: expect.stringContaining("10000 actions") });
  });

  it("lets others be served while it makes many files", async () => {
    const { result, served } = await servedMeanwhile(patched(path, newFiles(5000)));
    expect(result.status).toBe(200);
    expect(served).toBeGreaterThan(2);
  });

  it("may copy a large file often, which reads nothing", async () => {
    const copies = Array.from({ length: 40 }, (_, at) => `diff --git a/big b/c${at}\ncopy from big\ncopy to c${at}\n`);
    expect(await patched(path, copies.join(""))).toMatchObject({ status: 200 });
  });

  it("makes no more bytes than a bound", async () => {
    const zeros = Buffer.alloc(4_000_000);
    const head = `new file mode 100644\nindex ${"0".repeat(40)}..${objectId("blob", zeros)}\nGIT binary patch\n`;
    const binary = head + binaryLiteral(zeros.length, deflateSync(zeros));
    const patch = (count: number): string =>
      Array.from({ length: count }, (_, at) => `diff --git a/z${at} b/z${at}\n${binary}`).join("");
    expect(await patched(path, patch(3))).toMatchObject({ status: 200 });
    const { status, text } = await patched(path, patch(20));
    expect({ status, text }).toMatchObject({ status: 413, text: expect.stringContaining("67108864 bytes") });
  });
});

describe("work that grew with the product of two things", () => {
  it("is done once for a section of .gitmodules, however many variables it has", async () => {
    const { pack, tip } = directoryPack({ ".gitmodules": longSection(250_000, 60_000) });
    expect(pack.length).toBeLessThan(2000);
    expect(await push(await made("section"), { "refs/heads/main": tip }, pack)).toEqual([
      "unpack ok",
      "ok refs/heads/main",
    ]);
  });

  it("is done once for a tag, however many refs lead to it", async () => {
    const { pack, tags } = tagChainPack(2000);
    const refs = Object.fromEntries(tags.map((oid, i) => [`refs/tags/t${i}`, oid]));
    const report = await push(await made("tags"), refs, pack);
    expect(report[0]).toBe("unpack ok");
    expect(report.filter((line) => line.startsWith("ok "))).toHaveLength(2000);
  });

  it("is small for patterns of a thousand stars and names that nearly match", async () => {
    const path = await planted("stars", directoryPack(starredFiles(500, 20)));
    expect(await download(`${path}/archive/main.tar`)).toMatchObject({ status: 200, isWhole: true });
  });
});
