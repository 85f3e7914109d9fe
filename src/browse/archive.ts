/**
 * Archives of a tree, written as a stream. Memory holds the directories on the way down, and one file at a time or a
 * piece of it.
 *
 * Contents are as they are stored: neither line ends nor `$Id$` nor `$Format:…$` are converted.
 *
 * @packageDocumentation
 * @see git-archive(1)
 */
import type { ByteSink } from "../bytes/byte-stream.ts";
import { concat } from "../bytes/chunk.ts";
import { CollectedSink } from "../bytes/collected-sink.ts";
import { toHex } from "../bytes/hex.ts";
import { TarEncoder, padding, tarEnd } from "../format/tar.ts";
import { zipPath } from "../format/zip-path.ts";
import { ZipEncoder, type ZipEntry } from "../format/zip.ts";
import { textOf } from "../object/byte-text.ts";
import { isGitlink, isRegular, isSymlink, isTree } from "../object/tree.ts";
import { type ArchiveEntry, archiveEntries } from "./archive-entries.ts";
import { ArchiveLimits } from "./archive-limits.ts";
import { ArchivePaths } from "./archive-paths.ts";
import { type OpenBlob, isText, openBlob } from "./blob.ts";
import type { BrowseSession } from "./browse-session.ts";
import { type BehindPointer, type FindBehind, type LfsPointer, readPointer } from "./lfs-pointers.ts";

/** The request for an archive. */
export type ArchiveRequest = {
  /** The raw name of the tree. */
  readonly tree: Uint8Array;
  /** The raw name of the tree's commit. The archive names it, and its time is that of the entries. */
  readonly commit?: Uint8Array;
  /** The beginning of all paths, one character per byte. A directory's ends in a slash. */
  readonly prefix: string;
  /** The paths of the files and directories that are wanted, without slashes at their ends; all if absent. */
  readonly paths?: readonly string[];
  /** The most files and directories, if these are to be fewer than {@link ArchiveLimits} allows. */
  readonly mostEntries?: number;
  /** Finds the files behind pointers of Git LFS, if these are to be in the archive in place of the pointers. */
  readonly findBehind?: FindBehind;
};

/** The formats of archives. */
export type ArchiveFormat = "tar" | "tar.gz" | "zip";

const BUFFER_BYTES = 256 * 1024;
/** The bytes that are deflated in one go. More would keep all other requests waiting. */
const DEFLATED_PIECE_BYTES = 256 * 1024;
/** The steps that an entry with its header costs, and each character of its path; in a zip it has two headers, and costs that twice. */
const ENTRY_STEPS = 800;
const PATH_STEPS = 2;
/** The steps per deflated byte, and per byte of a zip's directory that is written. */
const DEFLATE_STEPS = 4;
const DIRECTORY_BYTE_STEPS = 0.1;
/** The directory of a zip is accounted for each time it has grown by this many bytes. */
const DIRECTORY_STEP = 64 * 1024;
/**
 * From this size on, a file counts as held while it is written. It is there three times: whole, deflated, and as an
 * entry.
 */
const COUNTED_FILE_BYTES = 64 * 1024;
const HELD_TIMES = 3;
/** Entries for whose files one question is asked. */
const FOUND_AT_ONCE = 128;
const ROOT_MODE = 0o40777;
const GZIP_HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);

/**
 * Writes an archive.
 *
 * @throws LimitExceeded for a file that can't be read here, and for an archive that needs too many reads.
 */
export async function writeArchive(
  session: BrowseSession,
  request: ArchiveRequest,
  format: ArchiveFormat,
  output: ByteSink,
): Promise<void> {
  const time = await timeOf(session, request);
  if (format === "zip") {
    const collected = new CollectedSink(output, BUFFER_BYTES);
    await writeZip(session, request, { time, output: collected });
    await collected.end();
    return;
  }
  const { repository } = session;
  const gzip = format === "tar.gz" ? new GzipSink(repository, output) : undefined;
  const collected = new CollectedSink(gzip ?? output, BUFFER_BYTES);
  await writeTar(session, request, { time, output: collected });
  await collected.end();
  await gzip?.end();
}

type Target = { readonly time: number; readonly output: ByteSink };

async function timeOf({ graph, repository }: BrowseSession, { commit }: ArchiveRequest): Promise<number> {
  if (commit === undefined) return Math.floor(repository.now() / 1000);
  const node = graph.node(commit);
  await graph.loadCommit(node);
  return graph.commits.timeOf(node);
}

/** An entry, and the file behind it if it is a pointer of Git LFS and such files are wanted. */
type ArchivedEntry = ArchiveEntry & { readonly behind?: BehindPointer };

function stepsOf(path: string): number {
  return ENTRY_STEPS + path.length * PATH_STEPS;
}

/** Yields the entry of the prefix itself, and then those of the tree. */
async function* allEntries(
  session: BrowseSession,
  { tree, prefix, paths = [], findBehind }: ArchiveRequest,
  limits: ArchiveLimits,
): AsyncGenerator<ArchivedEntry> {
  if (prefix.endsWith("/")) yield { path: prefix.replace(/\/+$/, "/"), mode: ROOT_MODE, oid: tree };
  const entries = archiveEntries(session, tree, limits, new ArchivePaths(paths));
  for await (const entry of findBehind === undefined ? entries : withFiles(session, entries, findBehind)) {
    await session.work(stepsOf(entry.path));
    yield { ...entry, path: prefix + entry.path };
  }
}

/** Looks for the files behind pointers, for some entries at a time. */
async function* withFiles(
  session: BrowseSession,
  entries: AsyncGenerator<ArchiveEntry>,
  findBehind: FindBehind,
): AsyncGenerator<ArchivedEntry> {
  const found = async function* (batch: readonly ArchiveEntry[]): AsyncGenerator<ArchivedEntry> {
    const oids = await pointersOf(session, batch);
    const files = await findBehind([...oids.values()]);
    for (const entry of batch) {
      const behind = files.get(oids.get(entry)?.oid ?? ""); // What is no pointer has no file.
      yield behind === undefined ? entry : { ...entry, behind };
    }
  };
  let batch: ArchiveEntry[] = [];
  for await (const entry of entries) {
    batch.push(entry);
    if (batch.length < FOUND_AT_ONCE) continue;
    yield* found(batch);
    batch = [];
  }
  yield* found(batch);
}

async function pointersOf(
  session: BrowseSession,
  batch: readonly ArchiveEntry[],
): Promise<Map<ArchiveEntry, LfsPointer>> {
  const pointers = new Map<ArchiveEntry, LfsPointer>();
  for (const entry of batch) {
    const pointer = isRegular(entry.mode) ? await readPointer(session, entry.oid) : undefined;
    if (pointer !== undefined) pointers.set(entry, pointer);
  }
  return pointers;
}

/** Opens what an entry has in the archive: the file behind a pointer that is here, or else its blob. */
async function openEntry(
  session: BrowseSession,
  { oid, behind }: ArchivedEntry,
  limits: ArchiveLimits,
): Promise<OpenBlob> {
  const file = await behind?.();
  if (file !== undefined) {
    limits.addBehind(file.size);
    return file;
  }
  const blob = await openBlob(session, oid);
  limits.addContent(oid, blob.size);
  return blob;
}

function isDirectory(mode: number): boolean {
  return isTree(mode) || isGitlink(mode);
}

async function writeTar(session: BrowseSession, request: ArchiveRequest, { time, output }: Target): Promise<void> {
  const tar = new TarEncoder(time);
  const limits = new ArchiveLimits(session, request.mostEntries);
  let written = 0;
  const write = async (bytes: Uint8Array): Promise<void> => {
    written += bytes.length;
    await output.write(bytes);
  };
  await write(tar.start(request.commit && toHex(request.commit)));
  for await (const entry of allEntries(session, request, limits)) {
    const { path, mode } = entry;
    const oid = toHex(entry.oid);
    if (isDirectory(mode)) {
      await write(tar.entry({ path, mode, oid, size: 0 }));
      continue;
    }
    const blob = await openEntry(session, entry, limits);
    if (isSymlink(mode)) {
      const target = textOf(await wholeOf(blob));
      await write(tar.entry({ path, mode, oid, size: 0, target }));
    } else if (isRegular(mode)) {
      await write(tar.entry({ path, mode, oid, size: blob.size }));
      await whileHeld(session, blob.isHeld ? blob.size : 0, async () => {
        for await (const piece of blob.pieces) await write(piece);
      });
      await write(padding(blob.size));
    }
  }
  await write(tarEnd(written));
}

/** Accounts for the bytes of a file while they are written. */
async function whileHeld({ repository }: BrowseSession, bytes: number, write: () => Promise<void>): Promise<void> {
  const { memory } = repository;
  if (bytes < COUNTED_FILE_BYTES) return await write();
  memory.hold(bytes);
  try {
    await write();
  } finally {
    memory.hold(-bytes);
  }
}

async function wholeOf(blob: OpenBlob): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of blob.pieces) pieces.push(piece);
  return concat(pieces);
}

async function writeZip(session: BrowseSession, request: ArchiveRequest, { time, output }: Target): Promise<void> {
  const zip = new ZipEncoder(time);
  try {
    await writeZipEntries(session, request, { zip, output });
    for (const bytes of zip.end(request.commit === undefined ? "" : toHex(request.commit))) {
      await session.work(bytes.length * DIRECTORY_BYTE_STEPS);
      await output.write(bytes);
    }
  } finally {
    zip.free();
  }
}

async function writeZipEntries(
  session: BrowseSession,
  request: ArchiveRequest,
  { zip, output }: { readonly zip: ZipEncoder; readonly output: ByteSink },
): Promise<void> {
  const { memory } = session.repository;
  let heldBytes = 0;
  const limits = new ArchiveLimits(session, request.mostEntries);
  for await (const entry of allEntries(session, request, limits)) {
    const { path: gitPath, mode } = entry;
    await session.work(stepsOf(gitPath));
    const path = request.prefix + zipPath(gitPath.slice(request.prefix.length));
    if (zip.heldBytes - heldBytes >= DIRECTORY_STEP) {
      session.keep(zip.heldBytes - heldBytes);
      heldBytes = zip.heldBytes;
      await memory.room();
    }
    if (isDirectory(mode)) {
      const header = { path, mode, size: 0, isDeflated: false, isText: false };
      await output.write(zip.entry(header, new Uint8Array(0), 0));
      continue;
    }
    const blob = await openEntry(session, entry, limits);
    if (blob.isHeld) {
      await whileHeld(session, HELD_TIMES * blob.size, async () => {
        await writeZipped(session, zip, { path, mode }, { output, bytes: await wholeOf(blob) });
      });
    } else await streamZipped(session, zip, { path, mode }, { output, blob });
  }
}

type Named = Pick<ZipEntry, "path" | "mode">;

/** Deflates a blob that is held in memory, and gives way to other requests between pieces. */
async function deflateWhole(session: BrowseSession, bytes: Uint8Array): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += DEFLATED_PIECE_BYTES) {
    const piece = bytes.subarray(at, at + DEFLATED_PIECE_BYTES);
    pieces.push(session.repository.deflatePiece(piece, at + DEFLATED_PIECE_BYTES >= bytes.length));
    await session.work(piece.length * DEFLATE_STEPS);
  }
  const [only] = pieces;
  return only !== undefined && pieces.length === 1 ? only : concat(pieces);
}

async function writeZipped(
  session: BrowseSession,
  zip: ZipEncoder,
  named: Named,
  { output, bytes }: { readonly output: ByteSink; readonly bytes: Uint8Array },
): Promise<void> {
  const { repository } = session;
  const deflated = isRegular(named.mode) && bytes.length > 0 ? await deflateWhole(session, bytes) : bytes;
  const isDeflated = deflated.length < bytes.length;
  const entry = { ...named, size: bytes.length, isDeflated, isText: isText(bytes) };
  await output.write(zip.entry(entry, isDeflated ? deflated : bytes, repository.crc32(0, bytes)));
}

async function streamZipped(
  session: BrowseSession,
  zip: ZipEncoder,
  named: Named,
  { output, blob }: { readonly output: ByteSink; readonly blob: OpenBlob },
): Promise<void> {
  const { repository } = session;
  let entry: ZipEntry | undefined;
  let crc = 0;
  let storedBytes = 0;
  const deflate = async (bytes: Uint8Array, isLast: boolean): Promise<void> => {
    const deflated = repository.deflatePiece(bytes, isLast);
    storedBytes += deflated.length;
    await session.work(bytes.length * DEFLATE_STEPS);
    await output.write(deflated);
  };
  for await (const piece of blob.pieces) {
    if (entry === undefined) {
      entry = { ...named, size: blob.size, isDeflated: true, isText: isText(piece) };
      await output.write(zip.startStreamed(entry));
    }
    crc = repository.crc32(crc, piece);
    await deflate(piece, false);
  }
  if (entry === undefined) return;
  await deflate(new Uint8Array(0), true);
  await output.write(zip.endStreamed(entry, { crc, storedBytes }));
}

/** Compresses the written bytes as gzip. @see RFC 1952 */
class GzipSink implements ByteSink {
  readonly #tools: BrowseSession["repository"];
  readonly #output: ByteSink;
  #crc = 0;
  #length = 0;

  constructor(tools: BrowseSession["repository"], output: ByteSink) {
    this.#tools = tools;
    this.#output = output;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const deflated = this.#tools.deflatePiece(bytes, false);
    this.#tools.pacer.add(bytes.length * DEFLATE_STEPS);
    await this.#tools.pacer.pace();
    await this.#output.write(this.#length === 0 ? concat([GZIP_HEADER, deflated]) : deflated);
    this.#crc = this.#tools.crc32(this.#crc, bytes);
    this.#length += bytes.length;
  }

  /** Ends the stream. */
  async end(): Promise<void> {
    const trailer = new Uint8Array(8);
    const view = new DataView(trailer.buffer);
    view.setUint32(0, this.#crc, true);
    view.setUint32(4, this.#length % 2 ** 32, true);
    await this.#output.write(concat([this.#tools.deflatePiece(new Uint8Array(0), true), trailer]));
  }
}
