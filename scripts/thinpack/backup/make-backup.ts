/**
 * Backs a deployment up: what has changed since the last time, checked as it comes.
 *
 * The rows of a repository are one version of it. Its packs never change, and those that others replace stay for a day; so
 * the files that are copied after the rows have what the rows name.
 *
 * @packageDocumentation
 */
import { existsSync, rmSync } from "node:fs";
import { CommandFailure } from "../failure.ts";
import { type Json, textAt } from "../json.ts";
import {
  type BackupDirectory,
  type CopiedFile,
  fileSha256,
  shownUnit,
  type Unit,
  type UnitName,
} from "./backup-directory.ts";
import type { BackupKey } from "./backup-key.ts";
import type { Deployment } from "./deployment.ts";
import { CopyBrokeOff, RowReader } from "./object-rows.ts";
import { sealed } from "./sealed-file.ts";

/** How often an object is copied anew that changes while it is copied, or whose files go meanwhile. */
const MOST_TRIES = 5;
/** Files that no restore needs: parts of uploads, what pushes note for themselves, and twins, which are a cache. */
const PASSED_OVER = /\.(?:part-\d+|scratch-\d+|twin)$/;

/** What a backup did. */
export type BackupFigures = {
  /** Objects that were copied, and those that had not changed. */
  copied: number;
  unchanged: number;
  /** Files of the bucket that were copied. */
  files: number;
  /** Objects that could not be copied, and why. */
  failed: string[];
};

/** What rows say of the files that belong to them. */
type Named = {
  id: string;
  packs: Set<string>;
  /** The prefixes in which borrowed packs lie. */
  borrowed: Map<string, string>;
  homes: Set<string>;
  lends: boolean;
};

/** The tables that tell of files, and of other objects. */
const TELLING = ["repository", "packs", "borrowed_packs", "lending", "lfs_objects"];

/** Returns the key of an object of Git LFS. */
function lfsKey(home: string, oid: string): string {
  return `lfs/${home}/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
}

function noteRow(named: Named, table: string, row: Json): void {
  if (table === "repository") named.id = textAt(row, "id");
  else if (table === "packs") named.packs.add(textAt(row, "name"));
  else if (table === "borrowed_packs") named.borrowed.set(textAt(row, "pack"), textAt(row, "home"));
  else if (table === "lending") named.lends = true;
  else named.homes.add(textAt(row, "home"));
}

/** Yields the objects of Git LFS that the rows of a repository name, one after the other: there may be very many. */
export async function* lfsFilesOf(
  rows: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly key: string; readonly oid: string; readonly size: number }> {
  let found: { key: string; oid: string; size: number }[] = [];
  const reader = new RowReader(["lfs_objects"], (_, row) => {
    const { size, until } = row;
    const oid = textAt(row, "oid");
    // One that is announced has no bytes yet.
    if (typeof size === "number" && until === null) found.push({ key: lfsKey(textAt(row, "home"), oid), oid, size });
  });
  for await (const _ of reader.pass(rows)) {
    yield* found;
    found = [];
  }
  yield* found;
}

/** One run of a backup. */
export class BackupRun {
  readonly #host: Deployment;
  readonly #directory: BackupDirectory;
  readonly #key: BackupKey;
  readonly #say: (text: string) => void;
  readonly #units: UnitName[] = [];
  readonly #homes = new Set<string>();
  readonly #lenders = new Set<string>();
  readonly figures: BackupFigures = { copied: 0, unchanged: 0, files: 0, failed: [] };

  /** `say` is told what is being copied. */
  constructor(host: Deployment, directory: BackupDirectory, key: BackupKey, say: (text: string) => void) {
    this.#host = host;
    this.#directory = directory;
    this.#key = key;
    this.#say = say;
  }

  /** Copies everything. @throws CommandFailure if something could not be copied: all else was. */
  async run(): Promise<BackupFigures> {
    const began = new Date().toISOString();
    const { base } = this.#host.api;
    this.#directory.begin(base);
    await this.#copy({ kind: "directory", name: "tenants" });
    const tenants = await this.#host.tenants();
    for (const tenant of tenants) await this.#copyTenant(tenant);
    // A tenant that is gone may have objects of Git LFS that others use; and a prefix outlives its repository.
    for (const home of this.#homes) if (!tenants.includes(home)) await this.#copy({ kind: "tenant", name: home });
    for (const id of this.#lenders) await this.#copy({ kind: "lender", name: id });
    const { failed } = this.figures;
    if (failed.length > 0)
      throw new CommandFailure(`not backed up, so the backup is not finished:\n${failed.join("\n")}`);
    this.#directory.finish(base, began, this.#units);
    return this.figures;
  }

  async #copyTenant(tenant: string): Promise<void> {
    const unit = await this.#copy({ kind: "tenant", name: tenant });
    if (unit === undefined) return;
    const names: string[] = [];
    const reader = new RowReader(["tenant_repos"], (_, row) => {
      if (row["removing"] === 0) names.push(textAt(row, "name"));
    });
    for await (const _ of reader.pass(this.#directory.rows(unit)));
    for (const name of names) await this.#copy({ kind: "repository", name: `${tenant}/${name}` });
  }

  /** Copies an object with its files, unless it is as it was. Returns what the backup has of it; `undefined` if it is gone. */
  async #copy(name: UnitName): Promise<Unit | undefined> {
    this.#say(shownUnit(name));
    const before = this.#directory.readUnit(name);
    for (let tries = 1; ; tries++) {
      try {
        const unit = await this.#copyOnce(name, before);
        if (unit === undefined) return undefined;
        this.#units.push(name);
        for (const home of unit.homes) this.#homes.add(home);
        for (const id of unit.lenders) this.#lenders.add(id);
        return unit;
      } catch (error) {
        if (!(error instanceof CommandFailure)) throw error;
        if (error instanceof CopyBrokeOff && tries < MOST_TRIES) continue;
        this.figures.failed.push(`${shownUnit(name)}: ${error.message}`);
        return undefined;
      }
    }
  }

  async #copyOnce(name: UnitName, before: Unit | undefined): Promise<Unit | undefined> {
    if (before !== undefined) this.#directory.settle(before);
    const isThere = before !== undefined && existsSync(this.#directory.rowsPath(name, before.sha256));
    const rows = await this.#host.rows(name, isThere ? before.etag : "");
    if (rows === undefined) return undefined;
    if (rows === "same") {
      this.figures.unchanged += 1;
      return before;
    }
    const named: Named = { id: "", packs: new Set(), borrowed: new Map(), homes: new Set(), lends: false };
    const reader = new RowReader(TELLING, (table, row) => noteRow(named, table, row));
    // The rows come to their place when all files are there: until then, the backup has what it had.
    const path = this.#directory.newRowsPath(name);
    await this.#directory.writeRows(name, sealed(brokeOff(reader.pass(rows.body)), this.#key, shownUnit(name)));
    const files = name.kind === "repository" && named.id !== "" ? await this.#copyFiles(name, named, before) : [];
    const { id, lends, borrowed, homes } = named;
    const lenders = new Set([...borrowed.values(), ...(lends ? [id] : [])]);
    const sha256 = await fileSha256(path);
    const unit = { ...name, etag: rows.etag, sha256, id, homes: [...homes], lenders: [...lenders], files };
    this.#directory.writeUnit(unit);
    this.figures.copied += 1;
    return unit;
  }

  /** Copies the files of a repository that the backup does not have yet. @throws CopyBrokeOff if one of them has gone. */
  async #copyFiles(name: UnitName, named: Named, before: Unit | undefined): Promise<CopiedFile[]> {
    const known = new Map(before?.files.map((file) => [file.key, file] as const));
    const prefix = `repos/${named.id}.git/`;
    const packs = `${prefix}objects/pack/`;
    const files = new Map<string, CopiedFile>();
    // Refs come before objects: so what a copied file of refs names is there when the objects are.
    await this.#copyPrefix(prefix, (key) => !key.startsWith(packs), { known, files });
    await this.#copyPrefix(packs, () => true, { known, files });
    for (const [pack, home] of named.borrowed) {
      await this.#copyPrefix(`repos/${home}.git/objects/pack/pack-${pack}.`, () => true, { known, files });
    }
    for (const pack of named.packs) {
      const home = named.borrowed.get(pack) ?? named.id; // A pack that is not borrowed is its own.
      const start = `repos/${home}.git/objects/pack/pack-${pack}`;
      if (!files.has(`${start}.pack`) || !files.has(`${start}.idx`)) {
        throw new CopyBrokeOff(`a pack has gone from the bucket: ${start}.pack`);
      }
    }
    const rows = this.#directory.openRows(this.#directory.newRowsPath(name), name);
    for await (const { key, oid, size } of lfsFilesOf(rows)) await this.#copyLfs(key, oid, size);
    return [...files.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  async #copyPrefix(
    prefix: string,
    isWanted: (key: string) => boolean,
    { known, files }: { readonly known: ReadonlyMap<string, CopiedFile>; readonly files: Map<string, CopiedFile> },
  ): Promise<void> {
    for await (const listed of this.#host.files(prefix)) {
      const { key, size, etag } = listed;
      if (PASSED_OVER.test(key) || !isWanted(key)) continue;
      const old = known.get(key);
      const isThere = old?.etag === etag && old.size === size && existsSync(this.#directory.filePath(key));
      const copied = isThere ? old : await this.#host.copy(listed, this.#directory, old);
      if (copied === undefined) continue;
      if (!isThere) this.figures.files += 1;
      files.set(key, copied);
    }
  }

  /** Copies an object of Git LFS. Its name is its checksum. */
  async #copyLfs(key: string, oid: string, size: number): Promise<void> {
    // It is moved there when it is whole and checked.
    if (existsSync(this.#directory.filePath(key))) return;
    const listed = await this.#host.file(key);
    const copied = listed?.size === size ? await this.#host.copy(listed, this.#directory) : undefined;
    if (copied === undefined) throw new CopyBrokeOff(`an object of Git LFS has gone from the bucket: ${key}`);
    if (copied.sha256 !== oid) {
      rmSync(this.#directory.filePath(key));
      throw new CommandFailure(`${key} is damaged in the bucket`);
    }
    this.figures.files += 1;
  }
}

/** Takes a connection that ends in the midst of a copy for one that broke off. */
async function* brokeOff(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* input;
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CopyBrokeOff("the host broke off its copy of an object", undefined, { cause: error });
  }
}
