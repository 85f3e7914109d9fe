/**
 * Patches, blame and last changes over the API, against what git says of the same history.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { onEveryHost } from "../support/git-hosts.ts";

type Hunk = { readonly old_start: number; readonly old_lines: number; readonly text: string };
type DiffFile = { readonly path: string; readonly status: string; readonly hunks: readonly Hunk[] | null };
type Range = { readonly line: number; readonly count: number; readonly commit: string; readonly path: string };
type Activity = {
  readonly commits: number;
  readonly weeks: readonly { readonly commits: number }[];
  readonly contributors: readonly { readonly name: string; readonly email: string; readonly commits: number }[];
};
type Page = {
  readonly files: readonly DiffFile[];
  readonly ranges: readonly Range[];
  readonly entries: readonly { readonly name: string; readonly commit: string }[];
  readonly commits: readonly { readonly oid: string; readonly path?: string }[];
  readonly cursor?: string;
};

onEveryHost(
  "differences",
  (journey) => {
    let cwd = "";
    let api = "";
    const git = async (...args: string[]): Promise<string> => await journey.git.ok(args, { cwd });
    const bytes = async (...args: string[]): Promise<string> =>
      (await journey.git.bytes(args, { cwd })).toString("latin1");
    const request = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
      await fetch(`${api}/${path}`, { headers: { Authorization: `Bearer ${journey.token}`, ...headers } });
    const text = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
      const answer = await request(path, headers);
      expect(answer.status).toBe(200);
      return Buffer.from(await answer.arrayBuffer()).toString("latin1");
    };
    /** Reads all pages. */
    const pages = async (path: string): Promise<Page[]> => {
      const all: Page[] = [];
      for (let cursor = ""; ;) {
        const page: Page = JSON.parse(
          Buffer.from(await text(`${path}${cursor === "" ? "" : `&cursor=${cursor}`}`), "latin1").toString(),
        );
        all.push(page);
        if (page.cursor === undefined) return all;
        ({ cursor } = page);
      }
    };

    beforeAll(async () => {
      cwd = await journey.git.init();
      const write = (path: string, content: string | Uint8Array): void => {
        mkdirSync(join(cwd, path, ".."), { recursive: true });
        writeFileSync(join(cwd, path), content);
      };
      const commit = async (message: string): Promise<void> => {
        await git("add", "-A");
        await git("commit", "-q", "-m", message);
      };
      const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
      write("src/a.txt", `${lines.join("\n")}\n`);
      write("b c.txt", "one\ntwo");
      write(
        "data.bin",
        Uint8Array.from({ length: 300 }, (_, i) => i & 0xff),
      );
      await commit("first");
      lines.splice(10, 3, "changed", "  lines");
      write("src/a.txt", `${lines.join("\n")}\n`);
      write("ü.txt", "new\n");
      await commit("zweite Änderung");
      await git("checkout", "-q", "-b", "topic");
      await git("mv", "src/a.txt", "src/moved.txt");
      write("src/moved.txt", `${lines.join("\n")}\nend\n`);
      write(
        "data.bin",
        Uint8Array.from({ length: 300 }, (_, i) => (i * 7) & 0xff),
      );
      await commit("moved");
      await git("checkout", "-q", "main");
      write("b c.txt", "one\ntwo\nthree\n");
      await commit("third");
      await git("merge", "-q", "--no-ff", "-m", "merged", "topic");
      await git("branch", "odd.patch", "main~2");
      const url = await journey.create();
      await git("push", "-q", url, "--all");
      api = `${journey.base}/api/v1/repos/${new URL(url).pathname.slice(1).replace(/\.git$/, "")}`;
    });

    describe("a patch", () => {
      it.each([
        ["diff/main~2..main", ["main~2", "main"]],
        ["diff/main~1...topic", ["main~1...topic"]],
        ["diff/main~2..", ["main~2", "HEAD"]],
        ["diff/main~2..main?context=0&whitespace=all", ["-U0", "-w", "main~2", "main"]],
        ["commits/main~2", ["main~3", "main~2"]],
      ])("of %s is what git diff prints", async (path, args) => {
        const expected = await bytes("diff", "--full-index", "-M", ...args);
        expect(expected).not.toBe("");
        expect(await text(path, { Accept: "text/x-diff" })).toBe(expected);
        expect(await text(`${path}${path.includes("?") ? "&" : "?"}format=diff`)).toBe(expected);
      });

      it("has the same hunks in JSON, file by file", async () => {
        const expected = await bytes("diff", "--full-index", "-M", "main~2", "main");
        const found = await pages("diff/main~2..main?limit=1");
        expect(found).toHaveLength(expected.split("diff --git ").length - 1);
        for (const { path, status, hunks } of found.flatMap(({ files }) => files)) {
          expect(status).toMatch(/^[AMR]$/);
          for (const { text: body } of hunks ?? []) expect(expected).toContain(body);
          expect(hunks === null).toBe(path === "data.bin");
        }
      });

      it("of a commit comes as a mail, too", async () => {
        const expected = await bytes(
          "format-patch",
          "-1",
          "--stdout",
          "--full-index",
          "--signature=thinpack",
          "main~2",
        );
        expect(await text("commits/main~2?format=patch")).toBe(expected);
        expect(await text("commits/main~2", { Accept: "application/vnd.github.patch" })).toBe(expected);
      });
    });

    it("has the commit of each line", async () => {
      const blamed = (await git("blame", "-s", "-l", "main", "--", "src/moved.txt")).split("\n");
      const ranges = (await pages("blame/main/src/moved.txt?")).flatMap((page) => page.ranges);
      const told = ranges.flatMap(({ line, count, commit, path }) =>
        Array.from({ length: count }, (_, i) => `${line + i} ${commit} ${path}`),
      );
      // A boundary commit has a circumflex, and one digit less.
      const expected = blamed.map((line, at) => `${at + 1} ${line.slice(line.startsWith("^") ? 1 : 0).slice(0, 39)}`);
      expect(told.map((line) => line.split(" ").slice(0, 2).join(" ").slice(0, -1))).toEqual(expected);
      expect(new Set(ranges.map(({ path }) => path))).toEqual(new Set(["src/moved.txt", "src/a.txt"]));
    });

    it.each(["", "/src"])("has who made the commits of main%s, as git shortlog counts them", async (directory) => {
      const page = await (await request(`activity/main${directory}`)).json<Activity>();
      const expected = (await git("shortlog", "-sne", "main", "--", `.${directory}`)).split("\n");
      const people = page.contributors.map(({ name, email, commits }) => `${commits} ${name} <${email}>`);
      expect(people).toEqual(expected.map((line) => line.trim().replace("\t", " ")));
      expect(page.weeks.reduce((sum, { commits }) => sum + commits, 0)).toBe(page.commits);
      expect(String(page.commits)).toBe(await git("rev-list", "--count", "main", "--", `.${directory}`));
    });

    it("follows a file through renames, as git log --follow does", async () => {
      const listed = await pages("commits?rev=main&path=src/moved.txt&follow=true&limit=1");
      const rows = listed.flatMap(({ commits }) => commits.map(({ oid, path }) => `${oid} ${path}`));
      const told = (await git("log", "--follow", "--name-only", "--format=%H", "main", "--", "src/moved.txt")).split(
        /\n+/,
      );
      expect(rows).toHaveLength(3);
      expect(rows.join(" ").split(" ")).toEqual(told);
      expect(listed.every(({ commits }) => commits.length <= 1)).toBe(true);
    });

    it.each(["", "/src"])("has the last change of each entry of main%s", async (directory) => {
      const found = await pages(`last-changes/main${directory}?limit=1`);
      const entries = found.flatMap((page) => page.entries);
      expect(entries.length).toBeGreaterThan(0);
      for (const { name, commit } of entries) {
        const path = `${directory.slice(1)}${directory === "" ? "" : "/"}${name}`;
        expect(commit).toBe(await git("log", "-1", "--format=%H", "main", "--", path));
      }
      const commits = found.flatMap((page) => page.commits).map(({ oid }) => oid);
      expect(new Set(commits)).toEqual(new Set(entries.map(({ commit }) => commit)));
    });

    it("has the form that the query names, whatever the path ends in", async () => {
      const { oid } = JSON.parse(await text("commits/odd.patch?format=json")) as { oid: string };
      expect(oid).toBe(await git("rev-parse", "main~2"));
      expect((await request("commits/main.patch?format=json")).status).toBe(404);
      expect(await text("commits/topic.patch")).toMatch(/^From /);
    });

    it.each([
      ["diff/main", 404],
      ["diff/main..nowhere", 404],
      ["diff/main..main?format=mail", 422],
      ["diff/main..main?context=5000", 422],
      ["diff/main..main?context=-1", 422],
      ["diff/main..main?whitespace=some", 422],
      ["diff/main..main?ignore_blank_lines=1", 422],
      ["diff/main..main?cursor=x", 422],
      ["commits/main?format=patch", 422],
      ["commits?follow=true", 422],
      ["commits?path=src/moved.txt&follow=1", 422],
      ["blame/main/src", 404],
      ["blame/main/nothing", 404],
      ["last-changes/main/src/moved.txt", 422],
      ["last-changes/main/nothing", 404],
    ])("refuses %s with %i", async (path, status) => {
      const answer = await request(path);
      expect([answer.status, answer.headers.get("Content-Type")]).toEqual([status, "application/problem+json"]);
    });
  },
  ["thinpack"],
);
