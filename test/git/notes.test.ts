/**
 * Notes by the API, against what `git notes` reads and writes.
 */
import { beforeAll, expect, it } from "vitest";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { inEveryFormat, pushedRepository } from "../support/git-hosts.ts";

inEveryFormat(
  "notes by the API",
  (journey) => {
    let api: ApiClient;
    let source: string;
    let commits: string[];
    beforeAll(async () => {
      api = apiClient(journey.base, journey.token);
      source = await importFixture(journey.git, "source", linear(4));
      commits = (await journey.git.ok(["rev-list", "main"], { cwd: source })).split("\n");
    });
    const pushed = async (): Promise<{ path: string; url: string }> => await pushedRepository(journey, source);
    /** What git reads of the notes on a commit. */
    const shown = async (url: string, commit: string, ref = "commits"): Promise<string> => {
      const { git } = journey;
      await git.ok(["fetch", "-q", "--force", url, `refs/notes/${ref}:refs/notes/${ref}`], { cwd: source });
      return await git.ok(["notes", `--ref=${ref}`, "show", commit], { cwd: source });
    };

    it("are added, appended and removed as git does it", async () => {
      const { git } = journey;
      const { path, url } = await pushed();
      const [head = "", second = ""] = commits;
      expect(await api("GET", `${path}/notes/main`)).toMatchObject({ status: 404 });
      expect(await api("PUT", `${path}/notes/main`, { note: "one" })).toMatchObject({
        status: 201,
        body: { object: head, ref: "refs/notes/commits" },
      });
      expect(await shown(url, head)).toBe("one");
      expect(await api("PUT", `${path}/notes/main`, { note: "two" })).toMatchObject({ status: 409 });
      expect(await api("POST", `${path}/notes/${head}`, { note: "ü" })).toMatchObject({ status: 201 });
      expect(await shown(url, head)).toBe("one\n\nü");
      await api("PUT", `${path}/notes/main~`, { note: "other", ref: "review" });
      expect(await shown(url, second, "review")).toBe("other");
      expect(await api("GET", `${path}/notes/main?ref=refs/notes/review`)).toMatchObject({ status: 404 });
      expect(await api("GET", `${path}/notes/main`)).toMatchObject({ status: 200, body: { note: "one\n\nü\n" } });
      // The same by git: the trees have the same names.
      await git.ok(["notes", "--ref=same", "add", "-m", "one", head], { cwd: source });
      await git.ok(["notes", "--ref=same", "append", "-m", "ü", head], { cwd: source });
      const trees = ["rev-parse", "refs/notes/same^{tree}", "refs/notes/commits^{tree}"];
      const [mine, theirs] = (await git.ok(trees, { cwd: source })).split("\n");
      expect(mine).toBe(theirs);
      expect(await api("PUT", `${path}/notes/main`, { note: "new", force: true })).toMatchObject({ status: 201 });
      expect(await shown(url, head)).toBe("new");
      expect((await api("DELETE", `${path}/notes/main`)).status).toBe(204);
      expect(await api("DELETE", `${path}/notes/main`)).toMatchObject({ status: 404 });
      await git.ok(["fetch", "-q", "--force", url, "refs/notes/commits:refs/notes/commits"], { cwd: source });
      expect(await git.ok(["notes", "list"], { cwd: source })).toBe("");
    });

    it("are appended once where a request with a key is sent again", async () => {
      const { path, url } = await pushed();
      const [head = ""] = commits;
      const key = { "Idempotency-Key": "once" };
      const first = await api("POST", `${path}/notes/main`, { note: "one" }, key);
      const again = await api("POST", `${path}/notes/main`, { note: "one" }, key);
      expect([again.status, again.body, again.headers.get("Idempotent-Replayed")]).toEqual([201, first.body, "true"]);
      expect(await shown(url, head)).toBe("one");
      expect((await api("POST", `${path}/notes/main`, { note: "two" }, key)).status).toBe(422);
      // What is done each time is not asked for once.
      expect((await api("PUT", `${path}/notes/main`, { note: "two", force: true }, key)).status).toBe(422);
      expect((await api("DELETE", `${path}/notes/main`, undefined, key)).status).toBe(422);
      expect(await shown(url, head)).toBe("one");
    });

    it("keep the bytes that are no UTF-8 when something is appended", async () => {
      const { git } = journey;
      const { path, url } = await pushed();
      const [head = ""] = commits;
      const blob = await git.ok(["hash-object", "-w", "--stdin"], {
        cwd: source,
        input: Buffer.from("caf\xe9\n", "latin1"),
      });
      await git.ok(["notes", "--ref=bytes", "add", "-f", "-C", blob, head], { cwd: source });
      await git.ok(["push", "-q", url, "refs/notes/bytes"], { cwd: source });
      expect((await api("POST", `${path}/notes/main`, { note: "ü", ref: "bytes" })).status).toBe(201);
      await git.ok(["fetch", "-q", "--force", url, "refs/notes/bytes:refs/notes/bytes"], { cwd: source });
      const wanted = Buffer.concat([Buffer.from("caf\xe9\n\n", "latin1"), Buffer.from("ü\n")]);
      const expected = await git.ok(["hash-object", "--stdin"], { cwd: source, input: wanted });
      expect(await git.ok(["notes", "--ref=bytes", "list", head], { cwd: source })).toBe(expected);
    });

    it("are found in directories of digits, as git lays out many", async () => {
      const { git } = journey;
      const { path, url } = await pushed();
      const [head = "", second = "", third = ""] = commits;
      const blob = (await git.ok(["hash-object", "-w", "--stdin"], { cwd: source, input: "deep\n" })).trim();
      const fan = (oid: string, depth: number): string => {
        const parts = Array.from({ length: depth }, (_, at) => oid.slice(2 * at, 2 * at + 2));
        return [...parts, oid.slice(2 * depth)].join("/");
      };
      const index = { GIT_INDEX_FILE: git.path(`index-${journey.format.hexSize}`) };
      for (const file of [fan(head, 2), fan(second, 1)]) {
        await git.ok(["update-index", "--add", "--cacheinfo", `100644,${blob},${file}`], { cwd: source, env: index });
      }
      const tree = (await git.ok(["write-tree"], { cwd: source, env: index })).trim();
      const commit = (await git.ok(["commit-tree", "-m", "notes", tree], { cwd: source })).trim();
      await git.ok(["push", "-q", url, `${commit}:refs/notes/commits`], { cwd: source });
      for (const oid of [head, second]) {
        expect(await api("GET", `${path}/notes/${oid}`)).toMatchObject({
          status: 200,
          body: { oid: blob, note: "deep\n" },
        });
      }
      await api("POST", `${path}/notes/${head}`, { note: "more" });
      await api("PUT", `${path}/notes/${third}`, { note: "third" });
      expect(await shown(url, head)).toBe("deep\n\nmore");
      expect(await shown(url, second)).toBe("deep");
      expect(await shown(url, third)).toBe("third");
      const files = (await git.ok(["ls-tree", "-r", "--name-only", "refs/notes/commits"], { cwd: source })).split("\n");
      expect(files.toSorted()).toEqual([fan(head, 2), fan(second, 1), fan(third, 1)].toSorted());
    });

    it("are one chain where many add at once, and are refused where they are none", async () => {
      const { path, url } = await pushed();
      const added = await Promise.all(
        commits.map(async (oid) => await api("PUT", `${path}/notes/${oid}`, { note: oid })),
      );
      expect(added.map(({ status }) => status)).toEqual(commits.map(() => 201));
      for (const oid of commits) expect(await shown(url, oid)).toBe(oid);
      for (const body of [
        {},
        { note: "" },
        { note: " \n" },
        { note: "a\0b" },
        { note: "x", ref: "refs/heads/main" },
        { note: "x", ref: "a..b" },
      ]) {
        expect([body, (await api("PUT", `${path}/notes/${commits[0]}`, body)).status]).toEqual([body, 422]);
      }
      expect(await api("PUT", `${path}/notes/none`, { note: "x" })).toMatchObject({ status: 404 });
      await api("PATCH", path, {
        protected: [{ pattern: "refs/notes/*", pushers: [], allow_deletion: false, require_signed: true }],
      });
      expect(await api("POST", `${path}/notes/main`, { note: "x" })).toMatchObject({
        status: 403,
        body: { code: "rule" },
      });
    });
  },
  ["thinpack"],
);
