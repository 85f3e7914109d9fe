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

  /** Lists the refs of a repository. */
  async refs(path: string): Promise<Refs> {
    const { outcome, refs } = await new FaultClient(this.#bed, path, UNFAULTED).refs();
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

  /** Has git look at a pack that has all of its objects, and at refs to them. `base` is a repository with what the pack lacks. */
  async pack(bytes: Buffer, refs: string, base?: string): Promise<void> {
    if (!this.#isNew("clone", bytes, refs, base ?? "")) return;
    const { git } = this.#bed;
    const cwd = await git.init("cloned", "--bare");
    if (base !== undefined) writeFileSync(join(cwd, "objects", "info", "alternates"), `${join(base, "objects")}\n`);
    await git.ok(["index-pack", "--stdin", "--fix-thin", "--strict"], { cwd, input: bytes });
    await git.ok(["update-ref", "--stdin"], { cwd, input: refs });
    await git.fsck(cwd);
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
    const cwd = git.fresh("prefix");
    for (const { key } of keys) {
      const file = join(cwd, key.slice(prefix.length));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, await this.#bed.content(key));
    }
    await git.fsck(cwd);
    const found = await refsOf(git, cwd);
    if (found.join("\n") !== listed.join("\n")) {
      throw new Error(`${prefix} has other refs than are listed:\n${found.join("\n")}\n${listed.join("\n")}`);
    }
  }
}
