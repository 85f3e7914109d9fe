/**
 * Commits that the API makes, against those that git makes of the same changes.
 */
import { chmodSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { inEveryFormat, type Journey } from "../support/git-hosts.ts";

const AUTHOR = { name: "A U Thor", email: "author@example.com", date: "2024-03-01T12:00:00+01:30" };
const COMMITTER = { name: "C O Mitter", email: "committer@example.com", date: "1709290800 -0330" };
const IDENTITY = {
  GIT_AUTHOR_NAME: AUTHOR.name,
  GIT_AUTHOR_EMAIL: AUTHOR.email,
  GIT_AUTHOR_DATE: AUTHOR.date,
  GIT_COMMITTER_NAME: COMMITTER.name,
  GIT_COMMITTER_EMAIL: COMMITTER.email,
  GIT_COMMITTER_DATE: COMMITTER.date,
};

/** A repository with some history, and a clone of it. */
type Pushed = { readonly url: string; readonly cwd: string; readonly path: string };

async function pushed(journey: Journey, commits = 5): Promise<Pushed> {
  const { git } = journey;
  const source = await importFixture(git, `source-${commits}`, linear(commits));
  const url = await journey.create();
  await git.ok(["push", "-q", url, "main"], { cwd: source });
  const cwd = git.fresh();
  await git.ok(["clone", "-q", url, cwd]);
  return { url, cwd, path: `/repos${new URL(url).pathname.replace(/\.git$/, "")}` };
}

type Action = Readonly<Record<string, string>>;

/** Removes a file, and the directories that become empty. */
function removeFile(cwd: string, path: string): void {
  rmSync(join(cwd, path));
  pruneAbove(cwd, path);
}

function pruneAbove(cwd: string, path: string): void {
  for (let at = dirname(path); at !== "." && readdirSync(join(cwd, at)).length === 0; at = dirname(at)) {
    rmdirSync(join(cwd, at));
  }
}

/** Does what an action says in a working copy. */
function act(cwd: string, { action = "", path = "", ...more }: Action): void {
  const file = join(cwd, path);
  mkdirSync(dirname(file), { recursive: true });
  const { content = "", encoding, mode, from = "", target = "" } = more;
  if (action === "delete") return removeFile(cwd, path);
  if (action === "move") {
    renameSync(join(cwd, from), file);
    return pruneAbove(cwd, from);
  }
  if (action === "symlink") return symlinkSync(target, file);
  if (action !== "chmod") writeFileSync(file, Buffer.from(content, encoding === "base64" ? "base64" : "utf8"));
  if (mode !== undefined) chmodSync(file, Number.parseInt(mode.slice(-3), 8));
}

inEveryFormat(
  "commits by the API",
  (journey) => {
    let api: ApiClient;
    beforeEach(() => {
      api = apiClient(journey.base, journey.token);
    });
    const commit = (path: string, body: object, headers: Record<string, string> = {}) =>
      api(
        "POST",
        `${path}/commits`,
        { branch: "main", message: "by the API", author: AUTHOR, committer: COMMITTER, ...body },
        headers,
      );
    const headOf = async (cwd: string): Promise<string> =>
      (await journey.git.ok(["rev-parse", "HEAD"], { cwd })).trim();

    it("are what git makes of the same changes", async () => {
      const { git } = journey;
      const { cwd, path, url } = await pushed(journey);
      const rounds: Action[][] = [
        [{ action: "create", path: "new.txt", content: "new\n" }],
        [
          { action: "create", path: "a/b/c/deep.txt", content: "déep\n" },
          { action: "create", path: "a.txt", content: "beside a\n" },
          { action: "create", path: "a-b", content: "", mode: "100755" },
          { action: "create", path: "a/b.c", content: "AAEC/w==", encoding: "base64" },
        ],
        [
          { action: "move", from: "a/b/c/deep.txt", path: "a/b/deep" },
          { action: "update", path: "new.txt", content: "changed\n" },
          { action: "chmod", path: "a.txt", mode: "100755" },
          { action: "symlink", path: "link", target: "a/b/deep" },
        ],
        // A file in the place of a directory, and the other way about.
        [
          { action: "delete", path: "a/b/deep" },
          { action: "delete", path: "a/b.c" },
          { action: "create", path: "a", content: "was a directory\n" },
          { action: "delete", path: "new.txt" },
          { action: "upsert", path: "new.txt/inside", content: "is a directory\n" },
        ],
      ];
      for (const [round, actions] of rounds.entries()) {
        for (const action of actions) act(cwd, action);
        await git.ok(["add", "-A"], { cwd });
        await git.ok(["commit", "-q", "-m", `round ${round}`], { cwd, env: IDENTITY });
        const previous = (await git.ok(["rev-parse", "HEAD^"], { cwd })).trim();
        const made = await commit(path, { message: `round ${round}`, expected_head: previous, actions });
        expect(made).toMatchObject({ status: 201, body: { oid: await headOf(cwd), previous, branch: "main" } });
        expect(made.body["parents"]).toEqual([previous]);
      }
      const clone = git.fresh();
      await git.ok(["clone", "-q", url, clone]);
      expect(await headOf(clone)).toBe(await headOf(cwd));
      await git.ok(["fsck", "--full", "--strict"], { cwd: clone });
    });

    it("begin a history, and a branch", async () => {
      const { git } = journey;
      const url = await journey.create();
      const path = `/repos${new URL(url).pathname.replace(/\.git$/, "")}`;
      const first = await commit(path, { actions: [{ action: "create", path: "README", content: "first\n" }] });
      expect(first).toMatchObject({ status: 201, body: { parents: [], previous: null } });
      const branch = { branch: "topic", base: "main", actions: [{ action: "create", path: "x", content: "" }] };
      expect(await commit(path, branch)).toMatchObject({ status: 201, body: { parents: [first.body["oid"]] } });
      expect(await commit(path, { ...branch, branch: "none", base: "nowhere" })).toMatchObject({ status: 422 });
      const { base, ...unbased } = branch;
      expect(base).toBe("main");
      expect(await commit(path, { ...unbased, branch: "other" })).toMatchObject({ status: 404 });
      const orphan = await commit(path, { ...unbased, branch: "orphan", expected_head: null });
      expect(orphan).toMatchObject({ status: 201, body: { parents: [] } });
      const clone = git.fresh();
      await git.ok(["clone", "-q", url, clone]);
      expect(await headOf(clone)).toBe(first.body["oid"]);
      await git.ok(["fsck", "--full", "--strict"], { cwd: clone });
    });

    it("of many writers who say where the branch is are one chain", async () => {
      const { cwd, path, url } = await pushed(journey);
      const head = await headOf(cwd);
      const writes = Array.from({ length: 20 }, (_, i) =>
        commit(path, { expected_head: head, actions: [{ action: "create", path: `by/${i}`, content: `${i}` }] }),
      );
      const answers = await Promise.all(writes);
      const [won, ...others] = answers.filter(({ status }) => status === 201);
      expect(others).toEqual([]);
      const lost = answers.filter(({ status }) => status === 409);
      expect(lost).toHaveLength(19);
      for (const { body } of lost) expect(body["current"]).toBe(won?.body["oid"]);
      await journey.git.ok(["pull", "-q", url, "main"], { cwd });
      expect(await headOf(cwd)).toBe(won?.body["oid"]);
    });

    it("of several writers who don't say so all come in", async () => {
      const { cwd, path, url } = await pushed(journey);
      const writes = Array.from({ length: 4 }, (_, i) =>
        commit(path, { actions: [{ action: "create", path: `by/${i}`, content: `${i}` }] }),
      );
      expect((await Promise.all(writes)).map(({ status }) => status)).toEqual([201, 201, 201, 201]);
      await journey.git.ok(["pull", "-q", url, "main"], { cwd });
      expect((await journey.git.ok(["ls-files", "by"], { cwd })).trim().split("\n")).toHaveLength(4);
    });

    it("are made once for one key, and not at all on trial", async () => {
      const { path, cwd } = await pushed(journey);
      const head = await headOf(cwd);
      const actions = [{ action: "create", path: "once", content: "1" }];
      const trial = await commit(path, { actions, dry_run: true });
      expect(trial).toMatchObject({ status: 200, body: { previous: head } });
      const key = { "Idempotency-Key": "one" };
      const first = await commit(path, { actions }, key);
      expect(first).toMatchObject({ status: 201, body: { ...trial.body } });
      const again = await commit(path, { actions }, key);
      expect(again.body).toEqual(first.body);
      expect(again.status).toBe(201);
      expect(again.headers.get("Idempotent-Replayed")).toBe("true");
      const other = await commit(path, { actions: [{ action: "create", path: "twice", content: "" }] }, key);
      expect(other).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
      const refs = await api("GET", `${path}/refs`);
      expect(refs.body["refs"]).toEqual([{ name: "refs/heads/main", oid: first.body["oid"] }]);
    });

    it("come in lines, too", async () => {
      const { path } = await pushed(journey);
      const lines = [
        { branch: "main", message: "many" },
        ...Array.from({ length: 300 }, (_, i) => ({
          action: "create",
          path: `d${i % 30}/${i}.txt`,
          content: `${i}\n`,
        })),
      ].map((line) => JSON.stringify(line));
      const type = { "Content-Type": "application/x-ndjson" };
      const made = await api("POST", `${path}/commits`, lines.join("\n"), type);
      expect(made.status).toBe(201);
      const listed = await api("GET", `${path}/tree/main/d7`);
      expect(listed.body["entries"]).toHaveLength(10);
      const broken = await api("POST", `${path}/commits`, [...lines.slice(0, 3), "{"].join("\n"), type);
      expect(broken).toMatchObject({ status: 422, body: { errors: [{ pointer: "#/actions/2" }] } });
    });

    describe("refuse", () => {
      const file = { action: "create", path: "f", content: "x" };
      const wrong: [why: string, actions: object[], pointer: string][] = [
        ["an absolute path", [{ ...file, path: "/etc/passwd" }], "#/actions/0/path"],
        ["an empty path", [{ ...file, path: "" }], "#/actions/0/path"],
        ["a way up", [file, { ...file, path: "a/../b" }], "#/actions/1/path"],
        ["git's directory", [{ ...file, path: ".git/config" }], "#/actions/0/path"],
        ["git's directory in capitals", [{ ...file, path: "a/.GIT/config" }], "#/actions/0/path"],
        ["git's directory as Windows shortens it", [{ ...file, path: "git~1" }], "#/actions/0/path"],
        ["git's directory as macOS reads it", [{ ...file, path: ".g\u200cit" }], "#/actions/0/path"],
        ["a slash at the end", [{ ...file, path: "a/" }], "#/actions/0/path"],
        ["a NUL", [{ ...file, path: "a\0b" }], "#/actions/0/path"],
        ["a link named .gitmodules", [{ action: "symlink", path: ".gitmodules", target: "x" }], "#/actions/0/path"],
        ["a file below a file", [file, { ...file, path: "f/g" }], "#/actions/1/path"],
        [
          "a file in a directory's place",
          [
            { ...file, path: "d/e" },
            { ...file, path: "d" },
          ],
          "#/actions/1/path",
        ],
        ["a path twice", Array.from({ length: 3 }, () => ({ ...file, action: "upsert" })), "#/actions/1/path"],
        ["what exists", [{ ...file, path: "VERSION" }], "#/actions/0/path"],
        ["what is missing", [file, { action: "update", path: "none", content: "" }], "#/actions/1/path"],
        ["a move of what is missing", [{ action: "move", path: "x", from: "none" }], "#/actions/0/from"],
        ["base64 that is none", [{ ...file, encoding: "base64", content: "ab" }], "#/actions/0/content"],
        ["half a character", [{ ...file, content: "\ud800" }], "#/actions/0/content"],
        ["no content", [{ action: "create", path: "f" }], "#/actions/0/content"],
        ["a blob that is not here", [{ action: "create", path: "f", blob: "1".repeat(40) }], "#/actions/0/blob"],
        ["a mode that git has not", [{ ...file, mode: "100600" }], "#/actions/0/mode"],
        ["a member of another action", [{ action: "delete", path: "f", content: "x" }], "#/actions/0/content"],
        ["an action that there is not", [{ ...file, action: "explode" }], "#/actions/0/action"],
        [".gitmodules that git refuses", [{ ...file, path: ".gitmodules", content: '[submodule "../x"]\n\tpath = x\n\turl = -u\n' }], "#/actions/0/content"], // prettier-ignore
      ];
      let repository: Pushed;
      beforeAll(async () => {
        repository = await pushed(journey);
      });
      it.each(wrong)("%s, and store nothing", async (_, actions, pointer) => {
        const { path, cwd } = repository;
        const answer = await commit(path, { actions });
        expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer }] } });
        const refs = await api("GET", `${path}/refs`);
        expect(refs.body["refs"]).toEqual([{ name: "refs/heads/main", oid: await headOf(cwd) }]);
      });

      it("what rules refuse", async () => {
        const { path } = await pushed(journey);
        const rules = { protected: [{ pattern: "main", pushers: ["nobody"] }] };
        const issued = await api("POST", "/tenants/acme/tokens", { name: "w", scopes: ["repo:write"] });
        expect(await api("PATCH", path, rules)).toMatchObject({ status: 200 });
        const writer = apiClient(journey.base, String(issued.body["token"]));
        const body = { branch: "main", message: "no", actions: [file] };
        for (const more of [{}, { dry_run: true }]) {
          expect(await writer("POST", `${path}/commits`, { ...body, ...more })).toMatchObject({
            status: 403,
            body: { code: "rule" },
          });
        }
        expect(await writer("POST", `${path}/commits`, { ...body, branch: "free", base: "main" })).toMatchObject({
          status: 201,
        });
      });
    });
  },
  ["thinpack"],
);
