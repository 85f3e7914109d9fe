/**
 * The directory that a backup lies in.
 *
 * ```text
 * backup.json                          what the backup is, and when it was last finished
 * units.ndjson                         the objects of the last finished backup
 * objects/{kind}/{name}.sealed         the rows of an object, sealed
 * objects/{kind}/{name}.files          in clear: the checksum of the rows, and the files of the bucket that belong to it
 * bucket/{key}                         the files of the bucket: repositories as git has them, and objects of Git LFS
 * copied.ndjson                        the checksums of files whose tag is none: those that were written in parts
 * partial/                             what is on its way
 * ```
 *
 * The list of an object (`.files`) is what counts. Content that would take the place of what the list of before names waits in
 * `partial/` under its checksum until the new list is there: whenever a backup is interrupted, each list has what it names.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { CommandFailure } from "../failure.ts";
import { isJson, type Json, listAt, objectAt, textAt } from "../json.ts";
import type { BackupKey } from "./backup-key.ts";
import { opened } from "./sealed-file.ts";

/** The version of the layout. */
const FORMAT = 1;

/** An object of the host. */
export type UnitName = { readonly kind: "directory" | "tenant" | "repository" | "lender"; readonly name: string };

/** A file of the bucket, as it was copied. */
export type CopiedFile = {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly sha256: string;
};

/** What a backup has of an object. */
export type Unit = UnitName & {
  /** The tag of the rows; "" if the host gave none. */
  readonly etag: string;
  /** The SHA-256 of the sealed rows. */
  readonly sha256: string;
  /** The id of a repository; "" of other objects. */
  readonly id: string;
  /** The tenants under which objects of Git LFS lie, and the ids of lenders: both are further objects. */
  readonly homes: readonly string[];
  readonly lenders: readonly string[];
  readonly files: readonly CopiedFile[];
};

/** Shows an object's name. */
export function shownUnit({ kind, name }: UnitName): string {
  return `${kind} ${name}`;
}

/** Returns the SHA-256 of a file, in hexadecimal. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Whether a key of the bucket can be a path below a directory. */
function isPlainKey(key: string): boolean {
  return (
    /^[A-Za-z0-9._/@-]+$/.test(key) && key.split("/").every((piece) => piece !== "" && piece !== "." && piece !== "..")
  );
}

function kindOf(text: string): UnitName["kind"] {
  if (text === "directory" || text === "tenant" || text === "repository" || text === "lender") return text;
  throw new CommandFailure(`a backup has no ${text}`);
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];

function copiedFile(json: Json): CopiedFile {
  const { size } = json;
  if (typeof size !== "number") throw new CommandFailure("a list of files in the backup is damaged");
  return { key: textAt(json, "key"), size, etag: textAt(json, "etag"), sha256: textAt(json, "sha256") };
}

/** Whether the bucket's tag of a file is its MD5. It is not, where the file was written in parts. */
export function isTag(etag: string): boolean {
  return /^[0-9a-f]{32}$/.test(etag);
}

/** Reads a line of `copied.ndjson`; `undefined` if the host was lost while it was written. */
function notedFile(line: string): CopiedFile | undefined {
  try {
    const json: unknown = JSON.parse(line);
    return isJson(json) ? copiedFile(json) : undefined;
  } catch {
    return undefined;
  }
}

/** The directory of a backup. */
export class BackupDirectory {
  readonly path: string;
  readonly #key: BackupKey;
  /** What is known of files that were written in parts, by their keys; `undefined` until it is asked for. */
  #noted: Map<string, CopiedFile> | undefined;

  constructor(path: string, key: BackupKey) {
    this.path = path;
    this.#key = key;
  }

  #about(): Json | undefined {
    const file = join(this.path, "backup.json");
    if (!existsSync(file)) return undefined;
    const json: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isJson(json) ? json : {};
  }

  #assertReadable(about: Json): void {
    if (about["format"] !== FORMAT) throw new CommandFailure(`${this.path} holds no backup that this command can read`);
    if (about["key"] !== this.#key.name) throw new CommandFailure(`${this.path} was sealed under another key`);
  }

  /** Opens the directory to write, and makes it where it is missing. @throws CommandFailure if it is of another key. */
  begin(host: string): void {
    mkdirSync(join(this.path, "partial"), { recursive: true });
    const about = this.#about();
    if (about === undefined)
      this.#write("backup.json", `${JSON.stringify({ format: FORMAT, host, key: this.#key.name })}\n`);
    else this.#assertReadable(about);
  }

  /** Opens the directory to read. @throws CommandFailure if no backup was ever finished there. */
  assertFinished(): void {
    const about = this.#about();
    if (about === undefined) throw new CommandFailure(`${this.path} holds no backup`);
    this.#assertReadable(about);
    if (textAt(about, "finished") === "") throw new CommandFailure(`the backup in ${this.path} was never finished`);
  }

  /** When the last backup that was finished began; "" if there is none. */
  get began(): string {
    return textAt(this.#about() ?? {}, "began");
  }

  #write(name: string, content: string): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
  }

  /** Notes that a backup was finished, and what it has. */
  finish(host: string, began: string, units: readonly UnitName[]): void {
    this.#write("units.ndjson", units.map(({ kind, name }) => `${JSON.stringify({ kind, name })}\n`).join(""));
    const finished = new Date().toISOString();
    this.#write(
      "backup.json",
      `${JSON.stringify({ format: FORMAT, host, key: this.#key.name, began, finished }, undefined, 2)}\n`,
    );
  }

  /** The objects of the last finished backup. */
  units(): UnitName[] {
    const text = readFileSync(join(this.path, "units.ndjson"), "utf8");
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => {
      const json: unknown = JSON.parse(line);
      if (!isJson(json)) throw new CommandFailure(`${this.path}/units.ndjson is damaged`);
      return { kind: kindOf(textAt(json, "kind")), name: textAt(json, "name") };
    });
  }

  #unitPath({ kind, name }: UnitName, ending: "sealed" | "files"): string {
    if (!isPlainKey(name)) throw new CommandFailure(`${name} is no name of an object`);
    return join("objects", kind, `${name}.${ending}`);
  }

  /** The path at which the sealed rows of an object come to lie. */
  #rowsPlace(unit: UnitName): string {
    return join(this.path, this.#unitPath(unit, "sealed"));
  }

  /** The path of an object's sealed rows with this checksum, whether they have come to their place or not. */
  rowsPath(unit: UnitName, sha256: string): string {
    return this.#lyingAt(this.#rowsPlace(unit), sha256);
  }

  /** The path at which sealed rows lie while the files that they name are copied. */
  newRowsPath(unit: UnitName): string {
    return this.partialPath(this.#rowsPlace(unit));
  }

  /** The path at which a file of the bucket comes to lie. @throws CommandFailure if its key leads elsewhere. */
  filePath(key: string): string {
    if (!isPlainKey(key)) throw new CommandFailure(`${key} is no key of a file`);
    return join(this.path, "bucket", key);
  }

  /** The path of a copied file, whether it has come to its place or not. */
  copyPath({ key, sha256 }: Pick<CopiedFile, "key" | "sha256">): string {
    return this.#lyingAt(this.filePath(key), sha256);
  }

  #waitingPath(place: string, sha256: string): string {
    return this.partialPath(`${relative(this.path, place)} ${sha256}`);
  }

  #lyingAt(place: string, sha256: string): string {
    const waiting = this.#waitingPath(place, sha256);
    return existsSync(waiting) ? waiting : place;
  }

  /** Takes a file in that has come whole. Where another lies in its place, it waits until the list that names it is written. */
  takeIn(partial: string, file: CopiedFile): void {
    const place = this.filePath(file.key);
    mkdirSync(dirname(place), { recursive: true });
    renameSync(partial, existsSync(place) ? this.#waitingPath(place, file.sha256) : place);
    if (isTag(file.etag)) return;
    this.#notes().set(file.key, file);
    appendFileSync(join(this.path, "copied.ndjson"), `${JSON.stringify(file)}\n`);
  }

  #notes(): Map<string, CopiedFile> {
    if (this.#noted !== undefined) return this.#noted;
    this.#noted = new Map();
    const path = join(this.path, "copied.ndjson");
    for (const line of existsSync(path) ? readFileSync(path, "utf8").split("\n") : []) {
      const file = notedFile(line);
      if (file !== undefined) this.#noted.set(file.key, file);
    }
    return this.#noted;
  }

  /** Returns what was noted of a file that was written in parts, when it was copied. */
  noted(key: string): CopiedFile | undefined {
    return this.#notes().get(key);
  }

  /** Moves what waits for an object's list to its place. */
  settle(unit: Unit): void {
    const rows = this.#rowsPlace(unit);
    this.#place(rows, unit.sha256);
    for (const { key, sha256 } of unit.files) this.#place(this.filePath(key), sha256);
  }

  #place(place: string, sha256: string): void {
    const waiting = this.#waitingPath(place, sha256);
    if (!existsSync(waiting)) return;
    mkdirSync(dirname(place), { recursive: true });
    renameSync(waiting, place);
  }

  /** The path at which a file lies until it is whole. */
  partialPath(name: string): string {
    return join(this.path, "partial", createHash("sha256").update(name).digest("hex"));
  }

  /** Returns what the backup has of an object; `undefined` if it has nothing. */
  readUnit(unit: UnitName): Unit | undefined {
    const path = join(this.path, this.#unitPath(unit, "files"));
    if (!existsSync(path)) return undefined;
    const json: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (!isJson(json)) throw new CommandFailure(`${path} is damaged`);
    const rows = objectAt(json, "rows");
    return {
      ...unit,
      etag: textAt(rows, "etag"),
      sha256: textAt(rows, "sha256"),
      id: textAt(json, "id"),
      homes: texts(json["homes"]),
      lenders: texts(json["lenders"]),
      files: listAt(json, "files").map(copiedFile),
    };
  }

  /** Notes what the backup has of an object, whose rows are at {@link newRowsPath}: from then on, it counts as copied. */
  writeUnit(unit: Unit): void {
    renameSync(this.newRowsPath(unit), this.#waitingPath(this.#rowsPlace(unit), unit.sha256));
    this.#writeList(unit);
    this.settle(unit);
  }

  #writeList(unit: Unit): void {
    const { kind, name, etag, sha256, id, homes, lenders, files } = unit;
    const head = { kind, name, id, rows: { etag, sha256 }, homes, lenders };
    const lines = files.map((file) => JSON.stringify(file)).join(",\n");
    this.#write(this.#unitPath(unit, "files"), `${JSON.stringify(head).slice(0, -1)},"files":[\n${lines}\n]}\n`);
  }

  /** Opens the rows of an object. */
  rows({ kind, name, sha256 }: UnitName & Pick<Unit, "sha256">): AsyncGenerator<Uint8Array> {
    return this.openRows(this.rowsPath({ kind, name }, sha256), { kind, name });
  }

  /** Opens the rows of an object that lie at a path. */
  openRows(path: string, unit: UnitName): AsyncGenerator<Uint8Array> {
    return opened(createReadStream(path), this.#key, shownUnit(unit));
  }

  /** Writes the rows of an object to {@link newRowsPath}. */
  async writeRows(unit: UnitName, content: AsyncIterable<Uint8Array>): Promise<void> {
    await pipeline(content, createWriteStream(this.newRowsPath(unit), { mode: 0o600 }));
  }
}
