/**
 * Hostile writes without a clone: merges, patches, commits of very many actions, and lists of objects.
 *
 * @packageDocumentation
 */
import { buildPack, commitOf, objectId, type RawEntry, treeOf } from "../../test/support/git-raw.ts";
import { directoryPack } from "../../test/support/hostile.ts";
import type { HostileBed, HostileInput } from "./hostile-bed.ts";

type Row = [mode: string, name: string, oid: string];

const PERSON = { name: "A", email: "a@example.com" };

/** A file of lines that differ from one side to the other, each in its own way. */
function sideOf(at: number, side: string): string {
  const lines = Array.from({ length: 30 }, (_, line) => (line % 3 === 0 ? `${side} ${at} ${line}` : `line ${line}`));
  return `${lines.join("\n")}\n`;
}

/** Merges of many files that all conflict, or that all moved, and of one file that is different everywhere. */
export async function mergeInputs(bed: HostileBed): Promise<HostileInput[]> {
  const merge = (name: string, path: string): HostileInput => ({
    name,
    send: async () =>
      await bed.ask("POST", `/api/v1/repos/${path}/merges`, { base: "main", head: "topic", dry_run: true }),
  });
  const count = bed.size(5000);
  const conflicts = await plantSides(bed, "conflicts", (side) =>
    Array.from({ length: count }, (_, at) => [`f${at}`, sideOf(at, side)] as const),
  );
  const moved = await plantSides(bed, "moved", (side) =>
    Array.from({ length: count }, (_, at) => [`${side}${at}`, sideOf(at, side)] as const),
  );
  const lines = bed.size(60_000);
  const scattered = await plantSides(bed, "scattered", (side) => [
    [
      "file",
      Array.from({ length: lines }, (_, at) => `${(at * (side === "base" ? 7 : 11)) % 97} ${side[0]}\n`).join(""),
    ],
  ]);
  return [
    merge(`merge: ${count.toLocaleString("en-US")} files in conflict`, conflicts),
    merge(`merge: ${count.toLocaleString("en-US")} files moved by both sides`, moved),
    merge(`merge: a file of ${lines.toLocaleString("en-US")} lines that differ`, scattered),
  ];
}

/** Pushes a base and two branches of it; `files` returns the files of each. */
async function plantSides(
  bed: HostileBed,
  name: string,
  files: (side: "base" | "ours" | "theirs") => readonly (readonly [name: string, content: string])[],
): Promise<string> {
  const entries = new Map<string, RawEntry>();
  const add = (type: "blob" | "tree" | "commit", content: string | Buffer): string => {
    const oid = objectId(type, content);
    entries.set(oid, { type, content });
    return oid;
  };
  const commit = (side: "base" | "ours" | "theirs", parents: readonly string[]): string => {
    const rows = files(side).map(([path, content]): Row => ["100644", path, add("blob", content)]);
    return add("commit", commitOf(add("tree", treeOf(...rows.toSorted((a, b) => (a[1] < b[1] ? -1 : 1)))), parents));
  };
  const base = commit("base", []);
  const [ours, theirs] = [commit("ours", [base]), commit("theirs", [base])];
  const path = await bed.plant(name, { pack: buildPack([...entries.values()]), tip: base });
  await bed.push(path, { "refs/heads/topic": theirs }, buildPack([]));
  await bed.ask("PUT", `/api/v1/repos/${path}/refs/heads/main`, { oid: ours });
  return path;
}

/** Commits that are made of very much, none of which lands. */
export async function commitInputs(bed: HostileBed): Promise<HostileInput[]> {
  const line = "the same line\n";
  const path = await bed.plant("patched", directoryPack({ big: line.repeat(bed.size(200_000)), small: "x\n" }));
  const address = `/api/v1/repos/${path}/commits`;
  const query = "branch=p&base=main&message=m&dry_run=true";
  const patched = (name: string, patch: string): HostileInput => ({
    name: `patch: ${name}`,
    send: async () => await bed.ask("POST", `${address}?${query}`, patch, "text/x-patch"),
  });
  const files = bed.size(9000);
  const news = Array.from(
    { length: files },
    (_, at) =>
      `diff --git a/d${at}/f b/d${at}/f\nnew file mode 100644\n--- /dev/null\n+++ b/d${at}/f\n@@ -0,0 +1 @@\n+${at}\n`,
  );
  // Each hunk fits nowhere, and is looked for everywhere: the lines around it are those of the whole file.
  const hunks = Array.from(
    { length: bed.size(1000) },
    (_, at) =>
      `@@ -${3 * at + 1},3 +${3 * at + 1},3 @@\n the same line\n-another line\n+a third line\n the same line\n`,
  );
  const head = { branch: "p", base: "main", message: "m", author: PERSON, dry_run: true };
  const deep = Array.from({ length: files }, (_, at) => {
    const directories = Array.from({ length: 40 }, (__, level) => `d${(at * 31 + level) % 50}`).join("/");
    return JSON.stringify({ action: "upsert", path: `${directories}/f${at}`, content: `${at}` });
  });
  const lines = `${[JSON.stringify(head), ...deep].join("\n")}\n`;
  const entries = Array.from({ length: files }, (_, at) => ({
    path: `f${at}`,
    mode: "100644",
    type: "blob",
    content: `${at}`,
  }));
  const tree = JSON.stringify({ tree: entries });
  return [
    patched(`${files.toLocaleString("en-US")} new files`, news.join("")),
    patched(
      "hunks that fit nowhere in a file of equal lines",
      `diff --git a/big b/big\n--- a/big\n+++ b/big\n${hunks.join("")}`,
    ),
    {
      name: `commit of ${files.toLocaleString("en-US")} lines of JSON, each in 40 directories`,
      send: async () => await bed.ask("POST", address, lines, "application/x-ndjson"),
    },
    {
      name: `tree of ${files.toLocaleString("en-US")} entries in GitHub's shape`,
      send: async () => await bed.ask("POST", `/api/v3/repos/${path}/git/trees`, tree),
    },
  ];
}

/** Lists of very many objects. */
export async function listInputs(bed: HostileBed): Promise<HostileInput[]> {
  const content = Buffer.alloc(3_900_000, "x");
  const path = await bed.plant("listed", directoryPack({ big: content }));
  const oid = objectId("blob", content);
  const batch = (count: number): string =>
    JSON.stringify({
      operation: "download",
      objects: Array.from({ length: count }, (_, at) => ({ oid: at.toString(16).padStart(64, "0"), size: at })),
    });
  const listed = (count: number): HostileInput => {
    const body = batch(count);
    return {
      name: `Git LFS: a batch of ${count.toLocaleString("en-US")} objects`,
      send: async () =>
        await bed.ask("POST", `/${path}.git/info/lfs/objects/batch`, body, "application/vnd.git-lfs+json"),
    };
  };
  const read = (name: string, body: object): HostileInput => ({
    name: `blobs: ${name}`,
    send: async () => await bed.ask("POST", `/api/v1/repos/${path}/blobs/read`, body),
  });
  return [
    listed(1000),
    listed(100_000),
    read("the same large one 1,000 times", { oids: Array.from({ length: 1000 }, () => oid) }),
    read("1,000 long paths that are not there", {
      rev: "main",
      paths: Array.from({ length: 1000 }, (_, at) => `${"d/".repeat(400)}${at}`),
    }),
  ];
}
