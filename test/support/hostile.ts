/**
 * What an attacker pushes: little bytes that ask for much work.
 *
 * @packageDocumentation
 */
import { buildPack, commitOf, objectId, type RawEntry, treeOf } from "./git-raw.ts";

/** A pack, and the commit or tag that a ref is to have. */
export type HostilePack = {
  readonly pack: Buffer;
  readonly tip: string;
  /** The tree of the commit. */
  readonly tree: string;
  /** Tags, where it has any, the outermost last. */
  readonly tags: readonly string[];
};

type Row = [mode: string, name: string, oid: string];

function committed(entries: readonly RawEntry[], tree: string): HostilePack {
  const content = commitOf(tree);
  return {
    pack: buildPack([...entries, { type: "commit", content }]),
    tip: objectId("commit", content),
    tree,
    tags: [],
  };
}

/** Builds a commit of one directory. */
export function directoryPack(files: Readonly<Record<string, Uint8Array | string>>): HostilePack {
  const contents = new Map(Object.values(files).map((content) => [objectId("blob", content), content] as const));
  const names = Object.keys(files).toSorted((a, b) =>
    Buffer.compare(Buffer.from(a, "latin1"), Buffer.from(b, "latin1")),
  );
  const rows = names.map((name): Row => ["100644", name, objectId("blob", files[name] ?? "")]);
  const tree = treeOf(...rows);
  const blobs = [...contents.values()].map((content): RawEntry => ({ type: "blob", content }));
  return committed([...blobs, { type: "tree", content: tree }], objectId("tree", tree));
}

/**
 * Builds a commit of `depth` directories within each other, each with `width` names of the same: the last with that many files. All
 * names begin with `prefix`.
 */
export function bombPack(width: number, depth: number, prefix = "n"): HostilePack {
  const entries: RawEntry[] = [{ type: "blob", content: "" }];
  let oid = objectId("blob", "");
  for (let level = 0; level < depth; level++) {
    const mode = level === 0 ? "100644" : "40000";
    const content = treeOf(
      ...Array.from({ length: width }, (_, i): Row => [mode, `${prefix}${String(i).padStart(3, "0")}`, oid]),
    );
    entries.push({ type: "tree", content });
    oid = objectId("tree", content);
  }
  return committed(entries, oid);
}

/** Builds a chain of tags, each of the one before, down to a commit of nothing. */
export function tagChainPack(length: number): HostilePack {
  const tree = treeOf();
  const commit = commitOf(objectId("tree", tree));
  const entries: RawEntry[] = [
    { type: "tree", content: tree },
    { type: "commit", content: commit },
  ];
  const tags: string[] = [];
  let [target, type] = [objectId("commit", commit), "commit"];
  for (let i = 0; i < length; i++) {
    const content = `object ${target}\ntype ${type}\ntag t${i}\ntagger A <a@example.com> 1700000000 +0000\n\n`;
    entries.push({ type: "tag", content });
    [target, type] = [objectId("tag", content), "tag"];
    tags.push(target);
  }
  return { pack: buildPack(entries), tip: objectId("commit", commit), tree: objectId("tree", tree), tags };
}

/** A `.gitattributes` of lines that want each to be tried in a thousand ways, and the names of files that nearly match them. */
export function starredFiles(lines: number, files: number): Record<string, string> {
  const pattern = `${"*a".repeat(1000)}b export-ignore\n`;
  const names = Array.from({ length: files }, (_, i): [string, string] => [`${"a".repeat(240)}${1000 + i}`, ""]);
  return { ".gitattributes": pattern.repeat(lines), ...Object.fromEntries(names) };
}

/** A `.gitmodules` with one section of a long name and many variables. */
export function longSection(name: number, variables: number): string {
  return `[submodule "${"a".repeat(name)}"]\n${"x=\n".repeat(variables)}`;
}
