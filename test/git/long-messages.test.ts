/**
 * Commits whose messages nobody would write: what an answer shows of them is bounded, says that it is not all, and lists go on behind them.
 *
 * @packageDocumentation
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { MOST_MESSAGE } from "../../src/browse/commit.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { FixtureStream, importFixture } from "../support/git-fixtures.ts";
import { startTestHost } from "../support/host.ts";

const MIB = 1024 * 1024;
/** Commits of 200 KiB of text each, behind one of 3 MB that JSON makes six times as long. */
const LONG = 12;

type Commit = { readonly oid: string; readonly message: string; readonly truncated?: boolean };
type Page = { readonly commits: readonly Commit[]; readonly cursor?: string; readonly ahead: number };

let host: RunningHost;
let git: GitSandbox;
let operator: ApiClient;
let oids: string[] = [];

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("messages");
  operator = apiClient(host.base, "test-token");
  const stream = new FixtureStream();
  stream.commit("refs/heads/main", [{ path: "a", content: "a\n" }]);
  stream.commit("refs/heads/main", [{ path: "a", content: "b\n" }], { message: "\u0001".repeat(3_000_000) });
  for (let at = 0; at < LONG; at++) {
    const file = { path: "a", content: `${at}\n` };
    stream.commit("refs/heads/main", [file], { message: `${at} ${"x".repeat(200 * 1024)}` });
  }
  stream.tag("long", ":2");
  const source = await importFixture(git, "source", stream);
  await git.ok(["push", "-q", "--mirror", withToken(`${host.base}/acme/long.git`, "test-token")], { cwd: source });
  await operator("PATCH", "/repos/acme/long", { visibility: "public" });
  oids = (await git.ok(["rev-list", "--reverse", "main"], { cwd: source })).split("\n");
});
afterAll(async () => {
  await host.stop();
  git.close();
});

const size = async (path: string): Promise<number> => (await (await fetch(host.base + path)).arrayBuffer()).byteLength;

describe("a commit whose message is too long for an answer", () => {
  it.each([
    "/api/v1/repos/acme/long/commits/",
    "/api/v3/repos/acme/long/commits/",
    "/api/v3/repos/acme/long/git/commits/",
  ])("is cut by %s, which says so", async (path) => {
    const answer = await fetch(`${host.base}${path}${oids[1] ?? ""}`);
    const shown = await answer.json<Commit & { readonly commit?: Commit }>();
    expect([answer.status, shown.truncated]).toEqual([200, true]);
    expect((shown.commit ?? shown).message).toBe("\u0001".repeat(MOST_MESSAGE));
  });

  it.each(["/acme/long/commit/", "/acme/long/commits/"])("makes no page of many megabytes: %s", async (path) => {
    expect(await size(path + (oids[1] ?? ""))).toBeLessThan(2 * MIB);
  });

  it("is not cut where it fits", async () => {
    const { body } = await operator("GET", `/repos/acme/long/commits/${oids[2] ?? ""}`);
    expect([body["truncated"], String(body["message"]).length]).toEqual([undefined, 2 + 200 * 1024]);
  });
});

describe("a comparison of commits with long messages", () => {
  it("comes in pages that end early, and shows each commit once", async () => {
    const seen: string[] = [];
    for (let query = ""; ;) {
      const { status, body } = await operator(
        "GET",
        `/repos/acme/long/compare/${oids[0] ?? ""}...main?limit=100${query}`,
      );
      const { commits, cursor, ahead } = body as unknown as Page;
      expect([status, ahead]).toEqual([200, LONG + 1]);
      expect(JSON.stringify(commits).length).toBeLessThan(3 * MIB);
      expect(commits.length).toBeGreaterThan(0);
      seen.push(...commits.map(({ oid }) => oid));
      if (cursor === undefined) break;
      query = `&cursor=${cursor}`;
    }
    expect(seen.toSorted()).toEqual(oids.slice(1).toSorted());
  });

  it("is bounded where it is made by lines and entries", async () => {
    for (const path of ["blame/main/a", "last-changes/main"])
      expect(await size(`/api/v1/repos/acme/long/${path}`)).toBeLessThan(3 * MIB);
  });
});
