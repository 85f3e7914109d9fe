/**
 * Hostile contents for whoever reads them by the API and on pages: patterns, long pasts, and texts that are hard to render.
 *
 * @packageDocumentation
 */
import { directoryPack } from "../../test/support/hostile.ts";
import type { HostileBed, HostileInput } from "./hostile-bed.ts";

const KIB = 1024;
/** Commits that git is given together: a text of all of them would be too long. */
const COMMITS_AT_ONCE = 500;

/** Searches by patterns that match in very many ways. */
export async function searchInputs(bed: HostileBed): Promise<HostileInput[]> {
  const files = Array.from({ length: bed.size(40) }, (_, at): [string, string] => [
    `f${at}`,
    `${at}${"x".repeat(500_000)}\n${"ab".repeat(250_000)}\n`,
  ]);
  const path = await bed.plant("searched", directoryPack(Object.fromEntries(files)));
  return ["(x+x+)+y", "(a|b|ab)*c", "((a|b){50}){5}z", ".*.*.*.*=", "(x?){100}x{100}q"].map((pattern) => ({
    name: `search: \`${pattern.replaceAll("|", String.raw`\|`)}\` in lines of 500,000 characters`,
    send: async () => await bed.get(`${path}/search?regexp=true&q=${encodeURIComponent(pattern)}`),
  }));
}

/** Blame, log and activity of a file with a long past. */
export async function pastInputs(bed: HostileBed): Promise<HostileInput[]> {
  const { git } = bed;
  const [commits, lines] = [bed.size(3000), bed.size(20_000)];
  const source = await git.init();
  const content = Array.from({ length: lines }, (_, line) => `line ${line}`);
  for (let from = 0; from < commits; from += COMMITS_AT_ONCE) {
    const stream: string[] = [];
    for (let at = from; at < Math.min(commits, from + COMMITS_AT_ONCE); at++) {
      content[(at * 7919) % lines] = `line of ${at}`;
      const text = content.join("\n");
      stream.push("commit refs/heads/main", `committer A <a@example.com> ${1_700_000_000 + at} +0000`, "data 1", "x");
      if (at > 0 && at === from) stream.push("from refs/heads/main^0");
      stream.push("M 100644 inline file", `data ${text.length}`, text);
    }
    await git.ok(["fast-import", "--quiet"], { cwd: source, input: `${stream.join("\n")}\n` });
  }
  await git.ok(["repack", "-adfq", "--window=2", "--depth=50"], { cwd: source });
  const path = await bed.make("past");
  await git.ok(["push", "-q", bed.remote(path), "main"], { cwd: source });
  const of = `of a file of ${lines.toLocaleString("en-US")} lines with ${commits.toLocaleString("en-US")} versions`;
  return [
    { name: `blame ${of}`, send: async () => await bed.get(`${path}/blame/main/file`) },
    { name: `page of the blame ${of}`, send: async () => await bed.ask("GET", `/${path}/blame/main/file`) },
    { name: `page of the activity ${of}`, send: async () => await bed.ask("GET", `/${path}/activity/main`) },
    { name: `difference ${of}`, send: async () => await bed.get(`${path}/diff/main~${commits - 1}...main`) },
  ];
}

/** Texts for a page that take long to render where something grows with their square. */
function texts(): Record<string, string> {
  const markdown = 250 * KIB;
  const code = 63 * KIB;
  const repeated = (piece: string, bytes: number): string => piece.repeat(Math.floor(bytes / piece.length));
  return {
    "brackets.md": repeated("[", markdown),
    "links.md": repeated("[a](", markdown),
    "stars.md": repeated("*a_ **b__ ", markdown),
    "quotes.md": repeated("> ", markdown),
    "lists.md": Array.from({ length: 700 }, (_, at) => `${" ".repeat(at)}- x`).join("\n"),
    "tables.md": `${repeated("|a", 2000)}|\n${repeated("|-", 2000)}|\n${repeated("|b\n", markdown - 8 * KIB)}`,
    "references.md": Array.from({ length: 20_000 }, (_, at) => `[r${at}]: /x`).join("\n"),
    "lazy-quoted.md": `> - x\n${repeated("y\n", markdown)}`,
    "lazy-numbered.md": `> 1. x\n${repeated("y\n", markdown)}`,
    "lazy-nested.md": `> > - > - x\n${repeated("y\n", markdown)}`,
    "lazy-item.md": `- > x\n${repeated("y\n", markdown)}`,
    "lazy-between.md": repeated("> - x\ny\n", markdown),
    "lazy-table.md": `> |a|b|\n> |-|-|\n${repeated("y\n", markdown)}`,
    "stars-in-rows.md": repeated("|*a \n", markdown),
    "stars-too-deep.md": `x\n${repeated("     - *a \n", markdown)}`,
    "tags.md": repeated("<a title='", markdown),
    "titles.md": repeated("#\n", markdown),
    "items.md": repeated("- \n", markdown),
    "addresses.md": repeated("a@b.c ", markdown),
    "code.md": repeated("`", markdown),
    "quotes.ts": repeated("`${`\n", code),
    "regexps.js": repeated("/a(/ \n", code),
    "strings.py": repeated("'''\"\"\"\n", code),
    "tags.xml": repeated("<a b='<\n", code),
    "heredocs.rb": repeated("<<A <<B\n", code),
    "words.sql": repeated("select a from b where c in (select\n", code),
    "lines.txt": repeated("x\n", 39_000),
    "wide.c": repeated(`${"int x; ".repeat(140)}\n`, code),
  };
}

/**
 * Pages of hostile texts, and of their differences. A document is the README of a directory: as a file, one of very many lines
 * is not shown.
 */
export async function pageInputs(bed: HostileBed): Promise<HostileInput[]> {
  const all = texts();
  const path = await bed.plant("texts", directoryPack(all));
  const page = (name: string, address: string): HostileInput => ({
    name: `page of ${name}`,
    send: async () => await bed.ask("GET", `/${address}`),
  });
  const documents: HostileInput[] = [];
  const files: HostileInput[] = [];
  for (const [name, text] of Object.entries(all)) {
    if (name.endsWith(".md")) {
      const directory = await bed.plant("document", directoryPack({ "README.md": text }));
      documents.push(page(`a directory with \`${name}\` as its README`, `${directory}/tree/main`));
    } else files.push(page(`\`${name}\``, `${path}/blob/main/${name}`));
  }
  return [...documents, ...files, page("a commit that adds all these", `${path}/commit/main`)];
}

/** The texts of a commit of very many new files: each of them is small. */
export async function diffInputs(bed: HostileBed): Promise<HostileInput[]> {
  const count = bed.size(60_000);
  const files = Array.from({ length: count }, (_, at): [string, string] => [`f${10_000_000 + at}`, `${at}\n`]);
  const path = await bed.plant("many", directoryPack(Object.fromEntries(files)));
  const of = `of a commit of ${count.toLocaleString("en-US")} new files`;
  return [
    { name: `page ${of}`, address: `/${path}/commit/main` },
    { name: `\`.diff\` ${of}`, address: `/${path}/commit/main.diff` },
    { name: `\`.patch\` ${of}`, address: `/${path}/commit/main.patch` },
    { name: `\`.patch\` by the API ${of}`, address: `/api/v1/repos/${path}/commits/main.patch` },
  ].map(({ name, address }) => ({ name, mayBreakOff: true, send: async () => await bed.ask("GET", address) }));
}
