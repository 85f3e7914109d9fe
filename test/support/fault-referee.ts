/**
 * Has git judge what is left of a repository after a fault: what a clone gets, and what lies in the bucket. What it has judged once, byte
 * for byte, it does not judge again: after most faults a repository is as it is after none.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FaultBed } from "./fault-bed.ts";
import { FaultClient, type Refs, UNFAULTED } from "./fault-client.ts";
import { type Made, MAIN, packOf } from "./fault-content.ts";
import { refsOf } from "./git-client.ts";

/** Files of a prefix besides packs. */
const PLAIN = new Set([
  "HEAD",
  "config",
  "packed-refs",
  "info/refs",
  "objects/info/packs",
  "refs/keep.lock",
  "objects/info/alternates",
]);
/** Files that differ from repository to repository by the names of it and of its packs alone. */
const NAMING = new Set(["objects/info/packs", "config"]);
const PACK_FILE = /^objects\/pack\/pack-([0-9a-f]+)\.([a-z0-9-]+)$/;
/** What may lie beside a pack of the catalog. */
const BESIDE_PACK = new Set(["pack", "idx", "rev", "kinds", "bitmap", "mtimes", "tips"]);

/** Judges repositories of one host. */
export class FaultReferee {
  readonly #bed: FaultBed;
  readonly #judged = new Set<string>();
  readonly #copies = new Map<string, string>();
  /** How often git looked, and how often what came was known. */
  readonly figures = { judged: 0, known: 0 };

  constructor(bed: FaultBed) {
    this.#bed = bed;
  }

  /** Returns whether this is new, and remembers it. */
  #isNew(...content: readonly (string | Uint8Array)[]): boolean {
    const hash = createHash("sha256");
    for (const part of content) hash.update(part).update("\0");
    const key = hash.digest("hex");
    const isNew = !this.#judged.has(key);
    this.#judged.add(key);
    this.figures[isNew ? "judged" : "known"] += 1;
    return isNew;
  }

  /** Lists the refs of a repository; none if there is no repository. */
  async refs(path: string): Promise<Refs> {
    const { outcome, refs } = await new FaultClient(this.#bed, path, UNFAULTED).refs();
    if (outcome.kind === "told" && outcome.status === 404) return {};
    if (outcome.kind !== "done") throw new Error(`${path} has no refs: ${JSON.stringify(outcome)}`);
    return refs;
  }

  /** Clones all that is listed, and has git look at every object. */
  async clone(path: string): Promise<Refs> {
    const refs = await this.refs(path);
    const names = Object.keys(refs).toSorted();
    if (names.length === 0) return refs;
    const wants = [...new Set(Object.values(refs))];
    const outcome = await new FaultClient(this.#bed, path, UNFAULTED).fetch(wants);
    if (outcome.kind !== "done") throw new Error(`${path} can't be cloned: ${JSON.stringify(outcome)}`);
    const listed = names.map((name) => `create ${name} ${refs[name]}\n`).join("");
    await this.pack(outcome.body, listed);
    return refs;
  }

  /** Has git look at a pack, and at refs to its objects. `base` is a pack of what the client had before. */
  async pack(bytes: Buffer, refs: string, base?: Buffer): Promise<void> {
    if (!this.#isNew("clone", bytes, refs, base ?? "")) return;
    const { git } = this.#bed;
    const cwd = await git.init("cloned", "--bare");
    if (base !== undefined) await git.ok(["index-pack", "--stdin"], { cwd, input: base });
    await git.ok(["index-pack", "--stdin", "--fix-thin", "--strict"], { cwd, input: bytes });
    await git.ok(["update-ref", "--stdin"], { cwd, input: refs });
    await git.fsck(cwd);
  }

  /** A bare repository with these commits. It is made once. */
  async workingCopy(commits: readonly Made[], tip: string): Promise<string> {
    const made = this.#copies.get(tip);
    if (made !== undefined) return made;
    const { git } = this.#bed;
    const cwd = await git.init("working", "--bare");
    this.#copies.set(tip, cwd);
    await git.ok(["index-pack", "--stdin"], { cwd, input: packOf(commits) });
    await git.ok(["update-ref", MAIN, tip], { cwd });
    return cwd;
  }

  /** Whether an object is in a pack below a repository's prefix, as the index of the pack says. */
  async holds(id: string, oid: string): Promise<boolean> {
    const name = Buffer.from(oid, "hex");
    for (const { key } of await this.#bed.keys(`repos/${id}.git/objects/pack/`)) {
      if (key.endsWith(".idx") && (await this.#bed.content(key)).includes(name)) return true;
    }
    return false;
  }

  /** Looks at what lies below the repository's prefix: nothing that nobody names, and a repository that git takes. */
  async bucket(path: string, refs: Refs): Promise<void> {
    const { id, files } = await this.#exported(path);
    const prefix = `repos/${id}.git/`;
    const keys = await this.#bed.keys(prefix);
    const catalog = new Set(files.flatMap((name) => PACK_FILE.exec(name)?.[1] ?? []));
    const graphs = new Set(files.filter((name) => name.endsWith(".graph")));
    const content: string[] = [];
    for (const { key, etag } of keys) {
      const name = key.slice(prefix.length);
      const [, pack = "", extension = ""] = PACK_FILE.exec(name) ?? [];
      const isNamed = PLAIN.has(name) || graphs.has(name) || (catalog.has(pack) && BESIDE_PACK.has(extension));
      if (!isNamed && extension !== "twin") throw new Error(`${path}: nobody names ${key}`);
      if (!NAMING.has(name)) content.push(`${pack === "" ? name : extension} ${etag}`);
    }
    const there = new Set(keys.map(({ key }) => key.slice(prefix.length)));
    for (const lender of await this.#lendersOf(prefix, there)) {
      for (const { key } of await this.#bed.keys(`${lender}/`)) there.add(key.slice(lender.length + 1));
    }
    const missing = files.filter((name) => !there.has(name));
    if (missing.length > 0) throw new Error(`${path}: the bucket lacks ${missing.join(", ")}`);
    const listed = Object.keys(refs)
      .toSorted()
      .map((name) => `${name} ${refs[name]}`);
    if (!this.#isNew("bucket", content.toSorted().join("\n"), listed.join("\n"))) return;
    await this.#copied(prefix, keys, listed);
  }

  async #exported(path: string): Promise<{ id: string; files: string[] }> {
    const answer = await this.#bed.sure("GET", `/repos/${path}/export`);
    const files = (answer["files"] as { key: string }[]).map(({ key }) => key);
    return { id: String(answer["id"]), files };
  }

  /** Copies a prefix out, and has git look at it. */
  async #copied(prefix: string, keys: readonly { key: string }[], listed: readonly string[]): Promise<void> {
    const { git } = this.#bed;
    const root = git.fresh("bucket");
    const cwd = join(root, prefix);
    await this.#copy(root, keys);
    const names = new Set(keys.map(({ key }) => key.slice(prefix.length)));
    for (const lender of await this.#lendersOf(prefix, names))
      await this.#copy(root, await this.#bed.keys(`${lender}/`));
    await git.fsck(cwd);
    const found = await refsOf(git, cwd);
    if (found.join("\n") !== listed.join("\n")) {
      throw new Error(`${prefix} has other refs than are listed:\n${found.join("\n")}\n${listed.join("\n")}`);
    }
  }

  /** The prefixes that a fork has packs below, besides its own. */
  async #lendersOf(prefix: string, names: ReadonlySet<string>): Promise<string[]> {
    const file = "objects/info/alternates";
    if (!names.has(file)) return [];
    const lines = (await this.#bed.content(prefix + file)).toString().split("\n");
    return lines.filter((line) => line !== "").map((line) => join(prefix, "objects", line, ".."));
  }

  async #copy(root: string, keys: readonly { key: string }[]): Promise<void> {
    for (const { key } of keys) {
      mkdirSync(dirname(join(root, key)), { recursive: true });
      writeFileSync(join(root, key), await this.#bed.content(key));
    }
  }
}
