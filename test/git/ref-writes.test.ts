/**
 * Refs and annotated tags by the API, against what git makes of the same.
 */
import { beforeAll, expect, it } from "vitest";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { inEveryFormat, pushedRepository } from "../support/git-hosts.ts";

const TAGGER = { name: "A U Thor", email: "author@example.com", date: "1700000000 +0200" };

inEveryFormat(
  "refs by the API",
  (journey) => {
    let api: ApiClient;
    let source: string;
    /** The commits, the newest first. */
    let commits: string[];
    beforeAll(async () => {
      api = apiClient(journey.base, journey.token);
      source = await importFixture(journey.git, "source", linear(6));
      commits = (await journey.git.ok(["rev-list", "main"], { cwd: source })).split("\n");
    });
    const pushed = async (): Promise<{ path: string; url: string }> => await pushedRepository(journey, source);
    const refsOf = async (path: string): Promise<Record<string, unknown>> => {
      const { body } = await api("GET", `${path}/refs`);
      const rows = body["refs"] as { name: string; oid: string }[];
      return Object.fromEntries(rows.map(({ name, oid }) => [name, oid]));
    };

    it("are created, moved forward, and moved back by force only", async () => {
      const { path } = await pushed();
      const [head, second, third] = commits;
      const topic = `${path}/refs/heads/topic`;
      expect(await api("PUT", topic, { oid: second })).toMatchObject({ status: 201, body: { previous: null } });
      expect(await api("PUT", topic, { oid: head, expected: second })).toMatchObject({
        status: 200,
        body: { previous: second },
      });
      expect(await api("PUT", topic, { oid: third })).toMatchObject({
        status: 409,
        body: { code: "not_forward", current: head },
      });
      expect(await api("PUT", topic, { oid: third, force: true, expected: second })).toMatchObject({
        status: 409,
        body: { current: head },
      });
      expect(await api("PUT", topic, { oid: third, force: true })).toMatchObject({ status: 200 });
      expect(await api("PUT", topic, { oid: "1".repeat(journey.format.hexSize) })).toMatchObject({ status: 422 });
      expect(await api("PUT", `${path}/refs/heads/main`, { oid: third, expected: null })).toMatchObject({
        status: 409,
      });
      expect(await api("PUT", `${path}/refs/heads/topic/x`, { oid: head })).toMatchObject({ status: 409 });
      expect(await api("PUT", `${path}/refs/heads/a..b`, { oid: head })).toMatchObject({ status: 422 });
      expect(await refsOf(path)).toEqual({ "refs/heads/main": head, "refs/heads/topic": third });
    });

    it("are deleted, but for the default branch", async () => {
      const { path } = await pushed();
      const [head, second] = commits;
      await api("PUT", `${path}/refs/heads/caf%C3%A9`, { oid: second });
      expect(await refsOf(path)).toHaveProperty("refs/heads/café");
      expect(await api("DELETE", `${path}/refs/heads/caf%C3%A9?expected=${head}`)).toMatchObject({
        status: 409,
        body: { current: second },
      });
      expect(await api("DELETE", `${path}/refs/heads/caf%C3%A9?expected=${second}`)).toMatchObject({ status: 204 });
      expect(await api("DELETE", `${path}/refs/heads/caf%C3%A9`)).toMatchObject({ status: 404 });
      expect(await api("DELETE", `${path}/refs/heads/main`)).toMatchObject({ status: 409 });
      expect(await refsOf(path)).toEqual({ "refs/heads/main": head });
    });

    it("move together, or not at all", async () => {
      const { path } = await pushed();
      const [head, second] = commits;
      const updates = [
        { name: "refs/heads/a", old: null, new: second },
        { name: "refs/heads/main", old: second, new: head },
      ];
      const refused = await api("POST", `${path}/refs`, { updates });
      expect(refused).toMatchObject({
        status: 409,
        body: { current: head, updates: [{ code: "atomic" }, { code: "stale" }] },
      });
      expect(await refsOf(path)).toEqual({ "refs/heads/main": head });
      const partly = await api("POST", `${path}/refs`, { updates, atomic: false });
      expect(partly).toMatchObject({
        status: 200,
        body: { updates: [{ status: "ok" }, { status: "rejected", current: head }] },
      });
      const moved = {
        updates: [
          { name: "heads/a", old: second, new: null },
          { name: "heads/b", old: null, new: head },
        ],
      };
      const key = { "Idempotency-Key": "k" };
      const once = await api("POST", `${path}/refs`, moved, key);
      expect(once).toMatchObject({ status: 200, body: { updates: [{ status: "ok" }, { status: "ok" }] } });
      expect((await api("POST", `${path}/refs`, moved, key)).body).toEqual(once.body);
      expect(await refsOf(path)).toEqual({ "refs/heads/main": head, "refs/heads/b": head });
    });

    it("are moved once by a request with a key that is sent again", async () => {
      const { path } = await pushed();
      const [head = "", second = "", third = ""] = commits;
      const key = { "Idempotency-Key": "k" };
      const put = async (oid: string, more = {}): Promise<[number, unknown, string | null]> => {
        const answer = await api("PUT", `${path}/refs/heads/once`, { oid, ...more }, key);
        return [answer.status, answer.body, answer.headers.get("Idempotent-Replayed")];
      };
      const name = "refs/heads/once";
      expect(await put(third)).toEqual([201, { name, oid: third, previous: null }, null]);
      await api("PUT", `${path}/refs/heads/once`, { oid: second });
      expect(await put(third)).toEqual([201, { name, oid: third, previous: null }, "true"]);
      expect((await put(head))[0]).toBe(422);
      expect((await refsOf(path))[name]).toBe(second);
      expect((await api("DELETE", `${path}/refs/heads/once`, undefined, key)).status).toBe(422);
      expect((await refsOf(path))[name]).toBe(second);
    });

    it("are tags as git makes them", async () => {
      const { git } = journey;
      const { path, url } = await pushed();
      const env = {
        GIT_COMMITTER_NAME: TAGGER.name,
        GIT_COMMITTER_EMAIL: TAGGER.email,
        GIT_COMMITTER_DATE: TAGGER.date,
      };
      await git.ok(["tag", "-f", "-a", "-m", "a tag", "v1", "main~2"], { cwd: source, env });
      const expected = await git.ok(["rev-parse", "v1"], { cwd: source });
      const made = await api("POST", `${path}/tags`, {
        name: "v1",
        target: commits[2],
        message: "a tag",
        tagger: TAGGER,
      });
      expect(made).toMatchObject({ status: 201, body: { oid: expected, target: commits[2], type: "commit" } });
      expect(await api("POST", `${path}/tags`, { name: "v1", target: "main", message: "another" })).toMatchObject({
        status: 409,
      });
      expect(await api("POST", `${path}/tags`, { name: "v2", target: "nothing", message: "m" })).toMatchObject({
        status: 422,
      });
      expect(await api("PUT", `${path}/refs/tags/v1`, { oid: commits[0] })).toMatchObject({
        status: 409,
        body: { code: "not_forward" },
      });
      expect(await api("PUT", `${path}/refs/heads/x`, { oid: expected })).toMatchObject({ status: 422 });
      const clone = git.fresh();
      await git.ok(["clone", "-q", url, clone]);
      expect(await git.ok(["rev-parse", "v1", "v1^{}"], { cwd: clone })).toBe(`${expected}\n${commits[2]}`);
      await git.fsck(clone);
    });
  },
  ["thinpack"],
);
