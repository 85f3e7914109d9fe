/**
 * Searches in the content of a revision, against what git grep finds there.
 *
 * @module-tag thorough
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import { LineMatcher, LineScan } from "../../../src/browse/line-matcher.ts";
import { parsePattern } from "../../../src/browse/pattern.ts";
import { ContentSearch, findFiles, type SearchPosition } from "../../../src/browse/search.ts";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { bytesOf, textOf } from "../../../src/object/byte-text.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { pseudoRandom, rawName, TestStore } from "../../support/store.ts";

/** The steps of a page in `src/browse/search.ts`. */
const SEARCH_STEPS = 200_000_000;

/** The pattern, with one character per byte. */
function matcherOf(pattern: string, isRegexp = true): LineMatcher {
  const parsed = parsePattern(pattern, isRegexp);
  if (parsed.kind !== "found") throw new Error(parsed.detail);
  return new LineMatcher(parsed);
}

/** The numbers of lines that match. */
function matching(matcher: LineMatcher, text: string): number[] {
  const scan = new LineScan(matcher, bytesOf(text));
  const lines: number[] = [];
  for (let found = scan.next(); found !== "end"; found = scan.next()) if (found === "match") lines.push(scan.line);
  return lines;
}

describe("a pattern", () => {
  const single = fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "^", "$", "\\.", "é", "[[:digit:]]", "1", "\\w");
  const pattern = fc.letrec<{ any: string; part: string }>((tie) => ({
    any: fc.array(tie("part"), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
    part: fc.oneof(
      { depthSize: "small" },
      single,
      fc
        .tuple(single, fc.constantFrom("*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}"))
        .map(([part, times]) => (/[$^]/.test(part.at(-1) ?? "") ? part : part + times)),
      fc
        .tuple(tie("any"), tie("any"), fc.constantFrom("", "*", "+", "?"))
        .map(([a, b, times]) => `(${a}|${b})${times}`),
    ),
  })).any;
  const text = fc
    .array(fc.constantFrom("a", "b", "c", "é", ".", "1", "\n"), { maxLength: 30 })
    .map((all) => all.join(""));

  it("finds the lines that a backtracking matcher finds", () => {
    fc.assert(
      fc.property(pattern, text, (source, content) => {
        // A dot and the opposite of a set are a byte here, so the other one is given bytes, too.
        const bytes = Buffer.from(source).toString("latin1");
        fc.pre(parsePattern(bytes, true).kind === "found"); // It may be too large.
        const lines = Buffer.from(content).toString("latin1").split("\n");
        if (lines.at(-1) === "") lines.pop();
        const other = new RegExp(bytes.replaceAll("[[:digit:]]", "[0-9]").replaceAll("Ã©", "(?:Ã©)"));
        const expected = lines.flatMap((line: string, at: number) => (other.test(line) ? [at + 1] : []));
        expect(matching(matcherOf(bytes), Buffer.from(content).toString("latin1"))).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ["(a*)*b", "a"],
    ["(a|a)*b", "a"],
    ["(a|aa)+$", "a"],
    [`${"a?".repeat(100)}${"a".repeat(100)}b`, "a"],
    ["(a|b)*a(a|b){12}c", "ab"],
  ])("takes time that grows as the text does: %s", (source, letters) => {
    const random = pseudoRandom(5);
    const work = [2000, 4000, 8000].map((length) => {
      const matcher = matcherOf(source);
      const line = Array.from({ length }, () => letters.charAt(random(letters.length))).join("");
      matching(matcher, line);
      return matcher.work;
    });
    const [short = 0, , long = 0] = work;
    expect(long).toBeLessThan(short * 4.5 + 100_000);
  });

  it.each([
    ["", "there is nothing to look for"],
    ["a\nb", "one line"],
    ["x".repeat(501), "more than 500 bytes"],
    ["(a", "no )"],
    ["a)", "no ("],
    ["[a", "no ]"],
    ["*a", "nothing before"],
    ["a|*", "nothing before"],
    ["^*", "can't be repeated"],
    ["a{", "followed by"],
    ["a{2,1}", "fewer times"],
    ["a{256}", "more than 255 times"],
    ["((a{200}){200}){200}", "too large"],
    ["(((){255}){255}){255}", "too large"],
    ["(".repeat(60), "more than 50 groups"],
    ["[b-a]", "ends before it begins"],
    ["[[:none:]]", "no such class"],
    ["[[.a.]]", "not understood"],
    ["[\xc3\xa9]", "only ASCII"],
    ["\\1", "not understood"],
    ["\\bword", "not understood"],
    ["a\\", "not understood"],
  ])("is refused with a reason: %s", (source, reason) => {
    const parsed = parsePattern(source, true);
    expect(parsed).toMatchObject({ kind: "wrong", detail: expect.stringContaining(reason) as string });
  });
});

describe("a search", () => {
  const git = new GitRepository();
  const store = new TestStore();
  /** The lines of each file. */
  const lengths = new Map<string, number>();
  let tip = "";

  beforeAll(async () => {
    const random = pseudoRandom(3);
    const words = ["alpha", "beta(", "gamma.", "x", "", " ", "é", "[a]", "end$", "\t", "1234", "\r", "a*b", "\\"];
    const files = Array.from({ length: 60 }, (_, i) => {
      const lines = Array.from({ length: random(40) }, () =>
        Array.from({ length: random(6) }, () => words[random(words.length)] ?? "").join(""),
      );
      return {
        path: `d${i % 7}/${i % 3 === 0 ? "sub/" : ""}f${i}`,
        text: lines.join("\n") + (i % 2 === 0 ? "\n" : ""),
      };
    });
    files.push({ path: "binary", text: "alpha\0beta\n" }, { path: "d0-more", text: "alpha\n" });
    files.push({ path: "long", text: `${"x".repeat(3000)}alpha\nalpha` }, { path: "latin", text: "alpha \xff\n" });
    const entries = files.map(({ path, text }) => {
      lengths.set(path, text.replace(/\n$/, "").split("\n").length);
      const oid = git.text(["hash-object", "-w", "--stdin"], bytesOf(text));
      return `100644 ${oid}\t${path}`;
    });
    entries.push(`120000 ${git.text(["hash-object", "-w", "--stdin"], "alpha")}\tlink`);
    git.git(["update-index", "--add", "--index-info"], `${entries.join("\n")}\n`);
    tip = git.text(["commit-tree", "-m", "all", git.text(["write-tree"])]);
    git.git(["update-ref", "refs/heads/main", tip]);
    store.packs = [{ ...(await store.push(git.pack(["--all"]), git.tips())), marked: true }];
  });

  afterAll(() => {
    git.dispose();
  });

  const run = async <T>(steps: number, work: (session: BrowseSession) => Promise<T>): Promise<T> => {
    const pacer = new Pacer(async () => {});
    pacer.add(SEARCH_STEPS - steps);
    const session = await BrowseSession.open({ ...store.repository(), pacer }, store.answer(new Uint8Array(0)));
    try {
      return await work(session);
    } finally {
      session.close();
    }
  };

  /** Finds all, as `git grep -n` writes it. */
  const found = async (
    asked: { readonly pattern: string; readonly isRegexp: boolean; readonly path?: string },
    steps = SEARCH_STEPS,
  ): Promise<{ readonly lines: string[]; readonly pages: number }> => {
    const question = { text: Buffer.from(asked.pattern).toString("latin1"), isRegexp: asked.isRegexp };
    const tree = rawName(git.text(["rev-parse", `${tip}^{tree}`]));
    const lines: string[] = [];
    let position: SearchPosition | undefined = { line: 0 };
    let pages = 0;
    for (; position !== undefined; pages++) {
      const from: SearchPosition = position;
      position = await run(steps, async (session) => {
        const search = ContentSearch.of(session, question, from);
        if (search.kind !== "found") throw new Error(search.detail);
        for await (const item of search.run(tree, asked.path ?? "")) {
          if (item.kind === "line") lines.push(`${item.path}:${item.line}:${textOf(item.text)}`);
        }
        return search.position;
      });
    }
    return { lines, pages };
  };

  const byGit = (args: readonly string[]): string[] => {
    const { stdout } = git.run(["grep", "-n", "-I", ...args]);
    const all = Buffer.from(stdout).toString("latin1").split("\n").slice(0, -1);
    return all.flatMap((line: string) => {
      const [, path = "", number = "", text = ""] = /^[^:]*:([^:]*):(\d+):(.*)$/s.exec(line) ?? [];
      // git grep also finds an empty line behind the last line feed, where there is none.
      return Number(number) > (lengths.get(path) ?? 0) ? [] : [`${path}:${number}:${text.slice(0, 1000)}`];
    });
  };

  const REGEXPS = [
    ["alpha"],
    ["^$"],
    ["^"],
    ["$"],
    ["a+l"],
    ["(alpha|x)$"],
    ["^[^a]*$"],
    ["[[:space:]]$"],
    ["[]a[]{2}"],
    ["\\(.\\)|\\$"],
    ["é+"],
    ["[0-9]{2,3}x"],
    ["\\s\\S\\w\\W"],
    ["a\\*b|\\\\"],
    ["x{0,2}$"],
    ["()x"],
    [".*"],
  ] as const;

  it.each(REGEXPS)("finds what git grep -E finds: %s", async (pattern) => {
    const expected = byGit(["-E", "-e", pattern, tip]);
    for (const steps of [SEARCH_STEPS, 20_000]) {
      const { lines, pages } = await found({ pattern, isRegexp: true }, steps);
      expect(lines).toEqual(expected);
      expect(pages > 1).toBe(steps < SEARCH_STEPS);
    }
  });

  it.each([["alpha"], ["beta("], ["gamma."], ["end$"], ["é"], ["\\"], ["a*b"], ["xalpha"], [" "]])(
    "finds what git grep -F finds: %s",
    async (pattern) => {
      expect((await found({ pattern, isRegexp: false })).lines).toEqual(byGit(["-F", "-e", pattern, tip]));
    },
  );

  it.each([["d0"], ["d3/sub"], ["d0-more"], ["none"], ["long"], ["link"]])(
    "looks below a path alone: %s",
    async (path) => {
      const expected = byGit(["-F", "-e", "alpha", tip, "--", path]);
      expect((await found({ pattern: "alpha", isRegexp: false, path })).lines).toEqual(expected);
      expect((await found({ pattern: "alpha", isRegexp: false, path }, 10_000)).lines).toEqual(expected);
    },
  );

  it("finds files by words of their paths", async () => {
    const all = git.lines(["ls-tree", "-r", "--name-only", tip]);
    const tree = rawName(git.text(["rev-parse", `${tip}^{tree}`]));
    for (const [text, test] of [
      ["", () => true],
      ["SUB", (path: string) => path.includes("sub")],
      ["d3 f1", (path: string) => path.includes("d3") && path.includes("f1")],
    ] as const) {
      for (const limit of [1000, 3]) {
        const paths: string[] = [];
        for (let behind: string | undefined, more = true; more; more = behind !== undefined) {
          const page = await run(SEARCH_STEPS, async (session) => findFiles(session, tree, { text, behind, limit }));
          paths.push(...page.files.map(({ path }) => path));
          behind = page.next;
        }
        expect(paths).toEqual(all.filter(test));
      }
    }
  });
});
