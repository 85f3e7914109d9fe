/**
 * The content of repositories over the API, against what git says of the same history.
 */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { type Journey, onEveryHost } from "../support/git-hosts.ts";

/** Names that are no ASCII. */
const ODD_BRANCHES = ["café", "\u{1f680}"];

type Json = Record<string, unknown>;
/** An item of a list, as far as it is text. */
type Row = Readonly<Record<string, string>>;

/** A repository with what repositories have, pushed. */
type Pushed = { readonly cwd: string; readonly api: string };

async function prepare(journey: Journey): Promise<Pushed> {
  const { git } = journey;
  const cwd = await git.init();
  const write = (path: string, content: string | Uint8Array, mode = 0o644): void => {
    mkdirSync(join(cwd, path, ".."), { recursive: true });
    writeFileSync(join(cwd, path), content, { mode });
  };
  const commit = async (message: string, time: number): Promise<void> => {
    const date = `${time} +0200`;
    await git.ok(["add", "-A"], { cwd });
    await git.ok(["commit", "-q", "-m", message], {
      cwd,
      env: { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
    });
  };
  write("README.md", "# a project\n");
  write("run.sh", "#!/bin/sh\n", 0o755);
  write("page.html", "<script>alert(1)</script>\n");
  write(
    "data.bin",
    Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff),
  );
  write("empty", "");
  write("src/deep/er/file.txt", "deep\n");
  write("src/ünï cödé.txt", "name\n");
  symlinkSync("src/deep", join(cwd, "link"));
  symlinkSync("far/".repeat(40), join(cwd, "long-link"));
  write(`${"long-directory/".repeat(9)}${"file".repeat(20)}`, "a long path\n");
  write(`${"longer-directory/".repeat(16)}${"file".repeat(50)}`, "a longer path\n");
  write("left-out/file", "x");
  write("part/left-out.c", "x");
  write("part/kept.c", "x");
  write("only/left-out.c", "x");
  write("deep/down/out/file", "x");
  write("deep/.gitattributes", "# more\ndown/out export-ignore\n");
  write("kept/left-out", "a file of this name\n");
  write("macro.x", "x");
  write(
    ".gitattributes",
    '[attr]private export-ignore\nleft-out/ export-ignore\n*.c export-ignore\nkept.c -export-ignore\n"macro.\\170" private\n',
  );
  await commit("first\n\nwith a body", 1_700_000_000);
  for (let i = 1; i <= 40; i++) {
    write(i % 5 === 0 ? "README.md" : `src/file-${i % 7}.txt`, `change ${i}\n`.repeat(i));
    await commit(`change ${i}`, 1_700_000_000 + i * 60);
  }
  await git.ok(["tag", "-a", "-m", "a tag", "v1"], { cwd });
  await git.ok(["checkout", "-q", "-b", "feature/x", "HEAD~10"], { cwd });
  write("feature.txt", "feature\n");
  await commit("feature", 1_700_010_000);
  write("src/file-3.txt", "mine\n");
  await commit("feature 2", 1_700_010_060);
  await git.ok(["checkout", "-q", "main"], { cwd });
  await git.ok(["merge", "-q", "-X", "ours", "--no-ff", "-m", "merge", "feature/x"], {
    cwd,
    env: { GIT_COMMITTER_DATE: "1700020000 +0000", GIT_AUTHOR_DATE: "1700020000 +0000" },
  });
  await git.ok(["checkout", "-q", "-b", "topic", "HEAD~1"], { cwd });
  await git.ok(["rm", "-q", "data.bin"], { cwd });
  await git.ok(["update-index", "--chmod=+x", "README.md"], { cwd });
  await git.ok(["rm", "-q", "--cached", "run.sh"], { cwd });
  write("gone", "x");
  symlinkSync("README.md", join(cwd, "new-link"));
  await git.ok(["update-index", "--add", "--cacheinfo", `160000,${"12".repeat(20)},module`], { cwd });
  await git.ok(["add", "new-link", "gone"], { cwd });
  await git.ok(["commit", "-q", "-m", "topic"], { cwd });
  await git.ok(["checkout", "-qf", "main"], { cwd });
  await git.ok(["checkout", "-q", "-b", "names", "main~41"], { cwd });
  writeFileSync(Buffer.concat([Buffer.from(join(cwd, "bad-")), Buffer.of(0xff)]), "not UTF-8\n");
  write("50%25 & more?#.txt", "percent\n");
  write("two\r\nlines: in \u2028a name", "lines\n");
  await commit("names", 1_700_030_000);
  for (const name of ODD_BRANCHES) await git.ok(["branch", name, "names"], { cwd });
  await git.ok(["checkout", "-qf", "main"], { cwd });
  const url = await journey.create();
  await git.ok(["push", "-q", url, "--all"], { cwd });
  await git.ok(["push", "-q", url, "--tags"], { cwd });
  return { cwd, api: `${journey.base}/api/v1/repos/${new URL(url).pathname.slice(1).replace(/\.git$/, "")}` };
}

/** What another program finds in a zip file: names, times, modes, sizes, checksums (which it checks) and the comment. */
function zipContents(file: string): string {
  const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    print(z.comment)
    for i in z.infolist():
        print(i.filename, i.date_time, i.create_system, oct(i.external_attr), i.internal_attr, i.file_size, i.CRC, i.extra, i.flag_bits)
`;
  return execFileSync("python3", ["-c", script, file]).toString();
}

onEveryHost(
  "content",
  (journey) => {
    let pushed: Pushed;
    const git = async (...args: string[]): Promise<string> => await journey.git.ok(args, { cwd: pushed.cwd });
    const lines = async (...args: string[]): Promise<string[]> => (await git(...args)).split("\n").filter(Boolean);
    const request = async (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> =>
      await fetch(`${pushed.api}/${path}`, {
        method,
        headers: { Authorization: `Bearer ${journey.token}`, ...headers },
      });
    const json = async (path: string): Promise<Json> => {
      const answer = await request(path);
      const body: Json = JSON.parse(await answer.text());
      expect([answer.status, body]).toEqual([200, body]);
      return body;
    };
    const list = (body: Json, member: string): Row[] => body[member] as Row[];
    /** All items of a list, page by page. */
    const pages = async (path: string, member: string): Promise<Row[]> => {
      const all: Row[] = [];
      for (let cursor = ""; ;) {
        const body = await json(`${path}${cursor === "" ? "" : `&cursor=${cursor}`}`);
        all.push(...list(body, member));
        if (typeof body["cursor"] !== "string") return all;
        cursor = body["cursor"];
      }
    };

    beforeAll(async () => {
      pushed = await prepare(journey);
    });

    describe("tree", () => {
      it.each([
        ["main", "main", ""],
        ["feature/x", "feature/x", ""],
        ["feature%2Fx/src/deep", "feature/x", "src/deep"],
        ["v1/src", "v1", "src"],
        ["main~3/src/deep/er/", "main~3", "src/deep/er"],
        ["refs/heads/topic", "topic", ""],
        ["HEAD^2", "HEAD^2", ""],
        ["@", "HEAD", ""],
      ])("of %s is what git ls-tree -l lists", async (path, rev, directory) => {
        const rows = (await pages(`tree/${path}?limit=3`, "entries")).map(
          ({ mode, type, oid, size, name }) => `${mode} ${type} ${oid} ${size ?? "-"}\t${name}`,
        );
        const told = await lines("-c", "core.quotePath=false", "ls-tree", "-l", `${rev}:${directory}`);
        expect(rows).toEqual(told.map((line) => line.replace(/ +(\S+)\t/, " $1\t")));
      });

      it("names the commit and the tree", async () => {
        expect(await json("tree/v1/src")).toMatchObject({
          commit: await git("rev-parse", "v1^{commit}"),
          oid: await git("rev-parse", "v1:src"),
          path: "src",
        });
      });
    });

    describe("raw", () => {
      it.each([
        ["main/README.md", "main:README.md", "text/plain; charset=utf-8"],
        ["main/data.bin", "main:data.bin", "application/octet-stream"],
        ["main/page.html", "main:page.html", "text/plain; charset=utf-8"],
        ["main/empty", "main:empty", "text/plain; charset=utf-8"],
        ["main/link", "main:link", "text/plain; charset=utf-8"],
        ["feature/x/feature.txt", "feature/x:feature.txt", "text/plain; charset=utf-8"],
        [`main/src/${encodeURIComponent("ünï cödé.txt")}`, "main:src/ünï cödé.txt", "text/plain; charset=utf-8"],
      ])("%s is what git show gives", async (path, object, type) => {
        const answer = await request(`raw/${path}`);
        expect(answer.status).toBe(200);
        expect(Buffer.from(await answer.arrayBuffer())).toEqual(
          await journey.git.bytes(["show", object], { cwd: pushed.cwd }),
        );
        const { headers } = answer;
        expect(headers.get("Content-Type")).toBe(type);
        expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
        expect(headers.get("Content-Security-Policy")).toContain("sandbox");
        expect(headers.get("Cache-Control")).toBe("private, no-cache");
        const etag = headers.get("ETag") ?? "";
        expect(etag).toBe(`"${await git("rev-parse", object)}"`);
        const again = await request(`raw/${path}`, { "If-None-Match": etag });
        expect([again.status, await again.text()]).toEqual([304, ""]);
      });

      it("answers ranges, and tells the size for HEAD", async () => {
        const whole = await journey.git.bytes(["show", "main:data.bin"], { cwd: pushed.cwd });
        const part = await request("raw/main/data.bin", { Range: "bytes=100-199" });
        expect(part.status).toBe(206);
        expect(part.headers.get("Content-Range")).toBe("bytes 100-199/5000");
        expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(100, 200));
        const end = await request("raw/main/data.bin", { Range: "bytes=-10" });
        expect(Buffer.from(await end.arrayBuffer())).toEqual(whole.subarray(4990));
        const behind = await request("raw/main/data.bin", { Range: "bytes=5000-" });
        expect([behind.status, behind.headers.get("Content-Range")]).toEqual([416, "bytes */5000"]);
        const head = await request("raw/main/data.bin", {}, "HEAD");
        expect([head.status, head.headers.get("Content-Length")]).toEqual([200, "5000"]);
      });
    });

    describe("commits", () => {
      it.each([
        ["main", "", 7],
        ["main", "src", 4],
        ["main", "README.md", 3],
        ["main", "feature.txt", 1],
        ["topic", "src/file-3.txt", 2],
        ["feature/x~1", "src/deep", 5],
        ["main", "no/such/path", 5],
      ])("of %s and %s are what git log lists, %i a page", async (rev, path, limit) => {
        const oids = (await pages(`commits?rev=${encodeURIComponent(rev)}&path=${path}&limit=${limit}`, "commits")).map(
          ({ oid }) => oid,
        );
        expect(oids).toEqual(await lines("log", "--format=%H", rev, "--", ...(path === "" ? [] : [path])));
      });

      it("come with a link to the next page, which keeps the query", async () => {
        const answer = await request("commits?rev=feature%2Fx&limit=2");
        const { cursor = "" } = JSON.parse(await answer.text());
        const next = `${pushed.api}/commits?rev=feature%2Fx&limit=2&cursor=${cursor}`;
        expect(answer.headers.get("Link")).toBe(`<${next}>; rel="next"`);
        expect((await request("commits?rev=main~41")).headers.get("Link")).toBeNull();
      });

      it("describes each commit as git does", async () => {
        const [commit] = list(await json("commits?rev=main~41&limit=1"), "commits");
        const [oid = "", tree, name, email, date, body] = (
          await git("log", "-1", "--format=%H%n%T%n%an%n%ae%n%aI%n%B", "main~41")
        ).split(/\n/);
        expect(commit).toMatchObject({
          oid,
          tree,
          parents: [],
          author: { name, email, date, time: 1_700_000_000 },
          signed: false,
        });
        expect(commit?.["message"]).toBe(`${body}\n\nwith a body\n`);
      });

      it.each(["topic", "main", "v1", "main~41", "feature/x"])("/%s lists what git diff-tree lists", async (rev) => {
        const format = ["--format=", "--raw", "-m", "--first-parent", "--no-renames", "--abbrev=40"];
        const told = await git("show", ...format, `${rev}^{commit}`);
        const all = await pages(`commits/${rev}?limit=2`, "files");
        const zeros = "0".repeat(40);
        const rows = all.map(
          ({ status, path, old_mode, new_mode, old_oid, new_oid }) =>
            `:${old_mode ?? "000000"} ${new_mode ?? "000000"} ${old_oid ?? zeros} ${new_oid ?? zeros} ${status}\t${path}`,
        );
        expect(rows).toEqual(told.split("\n").map((line) => line.replaceAll(/"(.*)"/g, "src/ünï cödé.txt")));
        expect((await json(`commits/${rev}`))["oid"]).toBe(await git("rev-parse", `${rev}^{commit}`));
      });
    });

    describe("compare", () => {
      it.each([
        ["main", "topic"],
        ["topic", "main"],
        ["feature/x", "main~5"],
        ["v1", "v1"],
        ["main", "feature/x"],
      ])("%s...%s is what rev-list, merge-base and diff say", async (a, b) => {
        const path = `compare/${a}...${b}?limit=3`;
        const body = await json(path);
        const [behind, ahead] = (await git("rev-list", "--left-right", "--count", `${a}...${b}`))
          .split("\t")
          .map(Number);
        expect(body).toMatchObject({
          from: await git("rev-parse", `${a}^{commit}`),
          to: await git("rev-parse", `${b}^{commit}`),
          ahead,
          behind,
          merge_bases: await lines("merge-base", "--all", a, b),
        });
        const oids = (await pages(path, "commits")).map(({ oid }) => oid);
        expect(oids).toEqual(await lines("log", "--format=%H", `${a}..${b}`));
        const files = list(body, "files").map(({ status, path: name }) => `${status}\t${name}`);
        const told = await lines("-c", "core.quotePath=false", "diff", "--no-renames", "--name-status", `${a}...${b}`);
        expect(files).toEqual(told);
      });
    });

    describe("search", () => {
      /** Names that are not UTF-8 are left to other tests. */
      const byGit = async (...args: string[]): Promise<string[]> => {
        const { stdout } = await journey.git.git(["-c", "core.quotePath=false", "grep", "-n", "-I", ...args], { cwd: pushed.cwd }); // prettier-ignore
        return stdout.split("\n").slice(0, -1);
      };
      const bySearch = async (query: string): Promise<string[]> =>
        (await pages(`search?${query}`, "matches")).map(({ path, line, text }) => `${path}:${line}:${text}`);

      it.each([
        ["q=a", ["-F", "-e", "a", "HEAD"]],
        ["q=a&limit=2", ["-F", "-e", "a", "HEAD"]],
        ["q=%5Ech.*%5B0-9%5D%24&regexp=true&rev=feature/x", ["-E", "-e", "^ch.*[0-9]$", "feature/x"]],
        ["q=x&path=part/", ["-F", "-e", "x", "HEAD", "--", "part"]],
        ["q=%3Cscript%3E&rev=v1", ["-F", "-e", "<script>", "v1"]],
      ])("%s finds what git grep finds", async (query, args) => {
        const expected = await byGit(...args);
        expect(await bySearch(query)).toEqual(expected.map((line) => line.slice(line.indexOf(":") + 1)));
        expect(expected.length).toBeGreaterThan(query.includes("regexp") ? -1 : 0);
      });

      it("names the commit and the tree", async () => {
        const commit = await git("rev-parse", "v1^{commit}");
        const tree = await git("rev-parse", "v1^{tree}");
        for (const path of ["search?q=a&rev=v1", "files/v1"]) expect(await json(path)).toMatchObject({ commit, tree });
      });

      it("finds files by words of their paths", async () => {
        const all = (await git("-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", "main")).split("\n");
        const paths = async (query: string): Promise<(string | undefined)[]> =>
          (await pages(`files/main?${query}`, "files")).map(({ path }) => path);
        expect(await paths("limit=3")).toEqual(all);
        const expected = all.filter((path) => path.includes("src") && path.includes("file"));
        expect(await paths("q=SRC+file")).toEqual(expected);
        expect(await paths(`q=${encodeURIComponent("ünï")}`)).toEqual(["src/ünï cödé.txt"]);
      });
    });

    describe("archive", () => {
      const bytes = async (path: string): Promise<Buffer> => {
        const answer = await request(`archive/${path}`);
        expect(answer.status).toBe(200);
        return Buffer.from(await answer.arrayBuffer());
      };
      const archive = async (...args: string[]): Promise<Buffer> =>
        await journey.git.bytes(["archive", ...args], { cwd: pushed.cwd });

      it.each([
        ["main", "main", ""],
        ["v1", "v1", ""],
        ["topic", "topic", ""],
        ["feature/x~1", "feature/x~1", ""],
        ["main", "main", "a-project-1.0/"],
        ["main", "main", "some/where//"],
        ["main", "main", "no-slash-"],
      ])("%s.tar.gz is byte for byte what git archive makes of %s with the prefix '%s'", async (path, rev, prefix) => {
        const told = await archive("--format=tar", `--prefix=${prefix}`, rev);
        const plain = await bytes(`${path}.tar?prefix=${prefix}`);
        expect(plain.equals(told)).toBe(true);
        expect(gunzipSync(await bytes(`${path}.tar.gz?prefix=${prefix}`)).equals(told)).toBe(true);
      });

      it("zip has what git's has", async () => {
        const directory = journey.git.fresh("zips");
        mkdirSync(directory);
        for (const rev of ["main", "topic", "v1"]) {
          writeFileSync(join(directory, "ours.zip"), await bytes(`${rev}.zip?prefix=p/`));
          writeFileSync(join(directory, "git.zip"), await archive("--format=zip", "--prefix=p/", rev));
          const [ours, gits] = ["ours", "git"].map((name) => zipContents(join(directory, `${name}.zip`)));
          expect(ours).toEqual(gits);
          expect(ours).toContain("p/page.html");
        }
      });

      it.each([
        ["main", "main"],
        ["v1", "v1"],
        ["feature/x~1", "feature-x-1"],
      ])("%s has a top directory of the repository and %s", async (rev, shown) => {
        const prefix = `${pushed.api.split("/").at(-1)}-${shown}/`;
        const told = await archive("--format=tar", `--prefix=${prefix}`, rev);
        expect((await bytes(`${rev}.tar`)).equals(told)).toBe(true);
      });

      it("names the address that always has the same content", async () => {
        const oid = await git("rev-parse", "v1^{commit}");
        const answer = await request("archive/v1.tar.gz?prefix=a%20b/", {}, "HEAD");
        const link = `${pushed.api}/archive/${oid}.tar.gz?prefix=a%20b/&rev=${oid}`;
        expect(answer.headers.get("Link")).toBe(`<${link}>; rel="immutable"`);
        const path = link.slice(`${pushed.api}/archive/`.length);
        expect((await bytes(path)).equals(await bytes("v1.tar.gz?prefix=a%20b/"))).toBe(true);
        expect((await request(`archive/main.tar.gz?rev=${oid}`)).status).toBe(409);
        // Git gives a tree without its commit the time of now.
        const ofTree = await request("archive/v1^{tree}.tar.gz", {}, "HEAD");
        expect([ofTree.status, ofTree.headers.get("Link")]).toEqual([200, null]);
      });

      it("is not sent again to a client that has it", async () => {
        const answer = await request("archive/main.tar.gz", {}, "HEAD");
        expect(answer.headers.get("Content-Type")).toBe("application/gzip");
        const etag = answer.headers.get("ETag") ?? "";
        expect(etag).toContain(await git("rev-parse", "main"));
        expect((await request("archive/main.tar.gz", { "If-None-Match": etag })).status).toBe(304);
        expect((await request("archive/main.tar.gz?prefix=x/", { "If-None-Match": etag })).status).toBe(200);
      });
    });

    describe("names", () => {
      it("that are not UTF-8 are shown without loss, and asked for byte by byte", async () => {
        const entry = list(await json("tree/names?limit=1000"), "entries").find(({ name }) => name?.startsWith("bad-"));
        expect(entry).toMatchObject({
          name: "bad-\ufffd",
          name_base64: Buffer.from("bad-\xff", "latin1").toString("base64"),
        });
        const [file] = list(await json("commits/names"), "files").filter(({ path }) => path?.startsWith("bad-"));
        expect(file?.["path_base64"]).toBe(entry?.["name_base64"]);
        expect(await (await request("raw/names/bad-%ff")).text()).toBe("not UTF-8\n");
        const log = list(await json("commits?rev=names&path=bad-%FF"), "commits").map(({ oid }) => oid);
        expect(log).toEqual([await git("rev-parse", "names")]);
        expect((await request("raw/names/bad-%EF%BF%BD")).status).toBe(404);
      });

      it("may have characters that mean something in URLs", async () => {
        const name = "50%25 & more?#.txt";
        expect(await (await request(`raw/names/${encodeURIComponent(name)}`)).text()).toBe("percent\n");
        const log = list(await json(`commits?path=${encodeURIComponent(name)}&rev=names`), "commits");
        expect(log).toHaveLength(1);
      });

      it.each(ODD_BRANCHES)("of branches are taken in queries as in paths: %s", async (name) => {
        const rev = encodeURIComponent(name);
        const [inQuery] = list(await json(`commits?rev=${rev}&limit=1`), "commits");
        expect(inQuery?.["oid"]).toBe(await git("rev-parse", "names"));
        expect((await request(`commits/${rev}?limit=1`)).status).toBe(200);
        expect((await request("commits?rev=")).status).toBe(422);
      });

      it("may have several lines, and no header gets one of them", async () => {
        const name = "two\r\nlines: in \u2028a name";
        const answer = await request(`raw/names/${encodeURIComponent(name)}`);
        expect([answer.status, answer.headers.has("lines"), await answer.text()]).toEqual([200, false, "lines\n"]);
        expect(list(await json("tree/names?limit=1000"), "entries").map((entry) => entry["name"])).toContain(name);
        for (const path of ["tree", "commits", "archive"]) {
          const absent = await request(`${path}/${encodeURIComponent("a\nb")}.zip`);
          expect((await absent.json<{ detail: string }>()).detail).toMatch(/^There is no revision/);
        }
      });
    });

    it("is described", async () => {
      const { paths } = JSON.parse(await (await fetch(`${journey.base}/api/v1/openapi.json`)).text()) as {
        paths: Record<string, unknown>;
      };
      const below = "/api/v1/repos/{tenant}/{repo}";
      for (const path of [
        "tree/{rev_and_path}",
        "commits",
        "commits/{rev}",
        "compare/{revs}",
        "raw/{rev_and_path}",
        "search",
        "files/{rev}",
        "archive/{file}",
      ])
        expect(paths[`${below}/${path}`]).toHaveProperty("get.responses.200");
    });

    describe("requests that cannot be answered", () => {
      it.each([
        ["tree/nowhere", 404],
        ["tree/main/nowhere", 404],
        ["tree/main/README.md", 422],
        ["tree/main/README.md/below", 404],
        ["tree/topic/module", 422],
        ["raw/main", 422],
        ["raw/main/src", 422],
        ["raw/topic/module", 422],
        ["raw/main/no-such", 404],
        [`raw/${"ab".repeat(20)}/x`, 404],
        ["commits/main~1000", 404],
        ["commits/main^5", 404],
        ["commits/main^{blob}", 422],
        ["commits/main@{1}", 422],
        ["commits?rev=main..topic", 422],
        ["commits?limit=0", 422],
        ["commits?cursor=abc", 422],
        ["commits/:README.md", 422],
        ["compare/main", 404],
        ["compare/main...nowhere", 404],
        ["compare/main...topic...v1", 404],
        ["compare/main...topic?files_cursor=x", 422],
        ["search", 422],
        ["search?q=", 422],
        ["search?q=x&rev=nowhere", 404],
        ["search?q=x&regexp=maybe", 422],
        ["search?q=(&regexp=true", 422],
        ["search?q=x&path=none&limit=5000", 422],
        ["search?q=x&cursor=abc", 422],
        ["files/nowhere", 404],
        ["archive/main", 404],
        ["archive/nowhere.zip", 404],
        ["archive/main:README.md.zip", 422],
        ["archive/main.zip?prefix=../x/", 422],
        ["archive/main.zip?prefix=/x", 422],
        ["archive/main.zip?prefix=..%5cx", 422],
        ["archive/main.zip?prefix=a%5c..%5cx", 422],
        ["archive/main.zip?prefix=%5c%5chost%5cshare", 422],
        ["archive/main.zip?prefix=C:x/", 422],
        ["archive/main.zip?prefix=a%0ab/", 422],
        ["archive/main.zip?prefix=.GIT/hooks/", 422],
      ])("%s: %i", async (path, status) => {
        const answer = await request(path);
        expect([answer.status, answer.headers.get("Content-Type")]).toEqual([status, "application/problem+json"]);
      });

      it("is hidden from callers that may not read", async () => {
        for (const path of ["tree/main", "raw/main/README.md", "commits", "search?q=x", "files/main"]) {
          expect((await fetch(`${pushed.api}/${path}`)).status).toBe(401);
        }
      });
    });
  },
  ["thinpack"],
);
