/**
 * Fetches the packs of a repository that is exported, and checks them for damage by a transfer or a host.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  createWriteStream,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Readable, Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { findName, PackIndexHead } from "../../src/format/pack-index.ts";
import type { PackedRef } from "../../src/format/packed-refs.ts";
import type { ObjectFormat } from "../../src/object/object-id.ts";
import { CommandFailure, errorOf } from "./failure.ts";
import type { Json } from "./json.ts";

/** A file as the host lists it. */
export type ListedFile = {
  readonly key: string;
  readonly size: number;
  /** The name of its pack, and the extension of the file. */
  readonly pack: string;
  readonly kind: string;
};

/** The files that belong to a pack, and may be in a copy. A layer of the commit-graph lies beside them in the bucket. */
const PACK_FILE = /^objects\/pack\/pack-([0-9a-f]{40,64})\.(pack|idx|rev|bitmap|graph)$/;

/**
 * Reads a file of the list.
 *
 * @throws CommandFailure if it is none of a pack: nothing else is written where the host says
 */
export function listedFile({ key, size }: Json): ListedFile {
  const [, pack, kind] = PACK_FILE.exec(typeof key === "string" ? key : "") ?? [];
  if (typeof key !== "string" || pack === undefined || kind === undefined) {
    throw new CommandFailure(`the host lists ${JSON.stringify(key)?.slice(0, 200)}, which is no file of a pack`);
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new CommandFailure(`the host gives no size for ${key}`);
  }
  return { key, size, pack, kind };
}

/** Returns the names of the packs. @throws CommandFailure if one lacks a file, or has one twice */
export function packNames(files: readonly ListedFile[]): string[] {
  const keys = new Set(files.map(({ key }) => key));
  if (keys.size !== files.length) throw new CommandFailure("the host lists a file twice");
  const names = [...new Set(files.filter(({ kind }) => kind !== "graph").map(({ pack }) => pack))];
  for (const name of names) {
    for (const kind of ["pack", "idx"]) {
      const key = `objects/pack/pack-${name}.${kind}`;
      if (!keys.has(key)) throw new CommandFailure(`the host lists no ${key}`);
    }
  }
  return names;
}

/** Passes a file on, counts its bytes, and compares its last bytes with the checksum of all before. */
class CheckedFile extends Transform {
  copied = 0;
  readonly #size: number;
  /** The bytes at the end that may be the checksum. */
  #tail: Buffer = Buffer.alloc(0);
  readonly #hash;
  readonly #rawSize: number;

  constructor(size: number, format: ObjectFormat) {
    super();
    this.#size = size;
    this.#hash = createHash(format.name);
    this.#rawSize = format.rawSize;
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.copied += piece.length;
    // A host that sends without end must not fill the disk.
    if (this.copied > this.#size) {
      done(new CommandFailure("there are more"));
      return;
    }
    const bytes = Buffer.concat([this.#tail, piece]);
    const checked = Math.max(0, bytes.length - this.#rawSize);
    this.#hash.update(bytes.subarray(0, checked));
    this.#tail = Buffer.from(bytes.subarray(checked));
    done(null, piece);
  }

  /** Whether the checksum is right. May be called once, at the end. */
  isWhole(): boolean {
    return this.#hash.digest().equals(this.#tail);
  }
}

/** Writes a file of a pack. @throws CommandFailure if it is not as long as listed, or its checksum is wrong */
export async function writePackFile(
  { key, size }: ListedFile,
  body: ReadableStream | null,
  { directory, format, add }: { directory: string; format: ObjectFormat; add: (bytes: number) => void },
): Promise<void> {
  const checked = new CheckedFile(size, format);
  checked.on("data", (piece: Buffer) => add(piece.length));
  try {
    const source = body === null ? Readable.from([]) : Readable.from(body);
    await pipeline(source, checked, createWriteStream(join(directory, key)));
  } catch (cause) {
    throw new CommandFailure(`${key} broke off after ${checked.copied} of ${size} bytes: ${errorOf(cause).message}`);
  }
  if (checked.copied !== size) throw new CommandFailure(`${key} has ${checked.copied} bytes and not ${size}`);
  if (!checked.isWhole()) throw new CommandFailure(`${key} is damaged: its checksum is wrong`);
}

/**
 * Returns the checksum of the pack that a file is of: a pack's last bytes, as of a layer of the commit-graph; of an index or a reverse index, those before
 * the last.
 */
function packChecksum(path: string, kind: string, { rawSize }: ObjectFormat): string {
  const checksum = Buffer.alloc(rawSize);
  const fromEnd = kind === "pack" ? rawSize : 2 * rawSize;
  const file = openSync(path, "r");
  try {
    readSync(file, checksum, 0, rawSize, Math.max(0, fstatSync(file).size - fromEnd));
  } finally {
    closeSync(file);
  }
  return checksum.toString("hex");
}

/** Puts the layers of the commit-graph where git looks for them. Git knows each by its checksum, and so does the next layer. */
export function placeGraphs(directory: string, files: readonly ListedFile[], format: ObjectFormat): void {
  const layers = files.filter(({ kind }) => kind === "graph");
  if (layers.length === 0) return;
  const folder = join(directory, "objects/info/commit-graphs");
  mkdirSync(folder, { recursive: true });
  const checksums = layers.map(({ key }) => {
    const path = join(directory, key);
    const checksum = packChecksum(path, "pack", format);
    renameSync(path, join(folder, `graph-${checksum}.graph`));
    return checksum;
  });
  writeFileSync(join(folder, "commit-graph-chain"), checksums.map((checksum) => `${checksum}\n`).join(""));
}

/** Returns those of the object names that an index does not have. */
function notInIndex(path: string, names: readonly Uint8Array[], format: ObjectFormat): Uint8Array[] {
  const bytes = readFileSync(path);
  const head = new PackIndexHead(bytes, format);
  return names.filter((name) => {
    const { offset, length } = head.namesRange(...head.bucketOf(name));
    return findName(bytes.subarray(offset, offset + length), name) === -1;
  });
}

/**
 * Checks that the files of each pack belong together, and that every object that a ref names is in one.
 *
 * @throws CommandFailure if not
 */
export function checkPacks(
  directory: string,
  files: readonly ListedFile[],
  { refs, format }: { readonly refs: readonly PackedRef[]; readonly format: ObjectFormat },
): void {
  let missing = refs.flatMap(({ oid, peeled }) => (peeled === undefined ? [oid] : [oid, peeled]));
  for (const { key, pack, kind } of files) {
    const path = join(directory, key);
    const ofPack = join(directory, `objects/pack/pack-${pack}.pack`);
    if (kind === "idx" || kind === "rev") {
      const isOfPack = packChecksum(path, kind, format) === packChecksum(ofPack, "pack", format);
      if (!isOfPack) throw new CommandFailure(`${key} belongs to another pack`);
    }
    if (kind !== "idx") continue;
    try {
      missing = notInIndex(path, missing, format);
    } catch (cause) {
      throw new CommandFailure(`${key} is damaged: ${errorOf(cause).message}`, undefined, { cause });
    }
  }
  const [first] = missing;
  if (first !== undefined) {
    throw new CommandFailure(`the host's packs lack ${Buffer.from(first).toString("hex")}, which a ref names`);
  }
}
