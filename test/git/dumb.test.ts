/** The dumb protocol with the real client, beyond a clone: what comes later, and what breaks off. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { refsOf } from "../support/git-client.ts";
import { everything, FixtureStream, importFixture, noise } from "../support/git-fixtures.ts";
import { type Journey, inEveryFormat } from "../support/git-hosts.ts";

const DUMB = { env: { GIT_SMART_HTTP: "0" } };
const CUT_AT = 1_000_000;

/** A request that went through: its `Range`, and the status of its answer. */
type Passed = { readonly path: string; readonly range: string | undefined; readonly status: number };

/** C git keeps info/refs only when asked to. */
async function updateServerInfo({ host, git }: Journey, url: string): Promise<void> {
  if (host === "c git") await git.ok(["update-server-info"], { cwd: git.path("srv", new URL(url).pathname.slice(1)) });
}

/** A proxy that breaks the first pack off in the middle; gives its URL for a remote. */
async function cuttingProxy(remote: string): Promise<{ url: string; passed: Passed[]; close: () => void }> {
  const target = new URL(remote);
  const passed: Passed[] = [];
  let hasCut = false;
  const relay = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const headers = new Headers({ Authorization: `Basic ${btoa(`${target.username}:${target.password}`)}` });
    const { range } = request.headers;
    if (range !== undefined) headers.set("Range", range);
    const answer = await fetch(`${target.origin}${request.url ?? ""}`, { headers });
    const body = Buffer.from(await answer.arrayBuffer());
    passed.push({ path: request.url ?? "", range, status: answer.status });
    response.writeHead(answer.status, {
      "Content-Length": body.length,
      ...(answer.headers.has("Content-Range") ? { "Content-Range": answer.headers.get("Content-Range") ?? "" } : {}),
    });
    if (hasCut || !(request.url ?? "").endsWith(".pack")) {
      response.end(body);
      return;
    }
    hasCut = true;
    response.write(body.subarray(0, CUT_AT), () => setTimeout(() => response.destroy(), 200));
  };
  const server = createServer((request, response) => void relay(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${target.pathname}`, passed, close: () => void server.close() };
}

inEveryFormat("the dumb protocol", (journey) => {
  it("brings what was pushed since", async () => {
    const { git } = journey;
    const source = await importFixture(git, "source", everything(journey.format));
    const url = await journey.create();
    await git.ok(["push", "-q", url, "main", "v1.0"], { cwd: source });
    await updateServerInfo(journey, url);
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, copy], DUMB);
    await git.ok(["push", "-q", "--mirror", url], { cwd: source });
    await updateServerInfo(journey, url);
    await git.ok(["fetch", "-q", "--prune"], { cwd: copy, ...DUMB });
    await git.fsck(copy);
    expect(await refsOf(git, copy)).toEqual(await refsOf(git, source));
  });

  // `git http-backend` answers no ranges.
  it.skipIf(journey.host === "c git")("continues a pack that was cut off", async () => {
    const { git } = journey;
    const stream = new FixtureStream();
    stream.commit("refs/heads/main", [{ path: "noise.bin", content: noise(3_000_000) }]);
    const source = await importFixture(git, "source", stream);
    const url = await journey.create();
    await git.ok(["push", "-q", url, "main"], { cwd: source });
    const proxy = await cuttingProxy(url);
    try {
      const copy = await git.init("copy", "--bare");
      const fetching = ["fetch", "-q", proxy.url, "main:main"];
      expect((await git.git(fetching, { cwd: copy, ...DUMB })).code).not.toBe(0);
      await git.ok(fetching, { cwd: copy, ...DUMB });
      await git.fsck(copy);
      expect(await refsOf(git, copy)).toEqual(await refsOf(git, source));
      const packs = proxy.passed.filter(({ path }) => path.endsWith(".pack"));
      expect(packs.map(({ status }) => status)).toEqual([200, 206]);
      expect(packs[1]?.range).toMatch(/^bytes=\d{6,}-$/);
    } finally {
      proxy.close();
    }
  });
});
