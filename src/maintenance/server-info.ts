/**
 * The files that turn a prefix with packs into a bare repository: `HEAD`, `config`, `packed-refs`, `info/refs` and
 * `objects/info/packs`, and for a fork `objects/info/alternates`. All come from one snapshot.
 *
 * @packageDocumentation
 * @see gitrepository-layout(5), git-update-server-info(1)
 */
import { formatInfoPacks } from "../format/info-packs.ts";
import { formatPackedRefs } from "../format/packed-refs.ts";
import { formatRepositoryConfig } from "../format/repository-config.ts";
import { textPieces } from "../format/text-pieces.ts";
import { objectFormat } from "../object/object-id.ts";
import { decodeRefRows, type RefRow } from "../refs/ref-rows.ts";
import type { OpenRequest, OpenSnapshot } from "../refs/ref-store.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { formatInfoRef } from "../wire/info-refs.ts";
import type { BareFiles } from "./bare-files.ts";

/** The request for a snapshot from which the files can be made. */
export const SERVER_INFO_REQUEST = { packs: true, refPrefixes: [] } as const satisfies OpenRequest;

const encoder = new TextEncoder();

function* text(content: string): Generator<Uint8Array> {
  yield encoder.encode(content);
}

function rowsOf(snapshot: OpenSnapshot): Iterable<RefRow> {
  return decodeRefRows(snapshot.refs, objectFormat(snapshot.record.objectFormat).rawSize);
}

function* infoRefs(snapshot: OpenSnapshot): Generator<string> {
  for (const { name, oid, peeled } of rowsOf(snapshot)) yield formatInfoRef(name, oid, peeled);
}

/** The names that the files use. */
export type ServerInfoNames = {
  /** `{tenant}/{repo}`. */
  readonly repository: string;
  /**
   * Returns the name of a pack for readers of `objects/info/packs`: its key in the bucket, or its checksum over HTTP.
   */
  readonly packName: (pack: PackRecord) => string;
};

const FILES = {
  /** git accepts a directory as a repository only if it has `refs/`, and a bucket has no empty directories. */
  "refs/keep.lock": () => text("git passes over this file; it keeps the directory.\n"),
  HEAD: (snapshot: OpenSnapshot) => textPieces([`ref: ${snapshot.record.head}\n`]),
  config: (snapshot: OpenSnapshot, { repository }: ServerInfoNames) =>
    text(formatRepositoryConfig(snapshot.record.objectFormat, repository)),
  "packed-refs": (snapshot: OpenSnapshot) => formatPackedRefs(rowsOf(snapshot)),
  "info/refs": (snapshot: OpenSnapshot) => textPieces(infoRefs(snapshot)),
  "objects/info/packs": (snapshot: OpenSnapshot, { packName }: ServerInfoNames) =>
    text(formatInfoPacks(snapshot.packs.map(packName))),
  "objects/info/alternates": ({ packs }: OpenSnapshot) => text(formatAlternates(packs)),
} as const;

/** Returns where the borrowed packs lie, relative to `objects/`, as gitrepository-layout(5) says. */
function formatAlternates(packs: readonly PackRecord[]): string {
  const homes = new Set(packs.flatMap(({ loan }) => (loan === undefined ? [] : [loan.home])));
  return [...homes].map((home) => `../../${home}.git/objects\n`).join("");
}

/** The derived files. */
export type ServerInfoFile = keyof typeof FILES;

/**
 * The order in which the files are written. A reader between two writes must not find a ref whose pack is not listed,
 * so the list of packs goes first. `HEAD` and `config` hardly ever change.
 */
const WRITE_ORDER: readonly Exclude<ServerInfoFile, "objects/info/alternates">[] = [
  "config",
  "refs/keep.lock",
  "objects/info/packs",
  "packed-refs",
  "info/refs",
  "HEAD",
];

/** Makes one file from a snapshot, in pieces. */
export function formatServerInfo(
  file: ServerInfoFile,
  snapshot: OpenSnapshot,
  names: ServerInfoNames,
): Iterable<Uint8Array> {
  return FILES[file](snapshot, names);
}

/** The repository whose files were written, and the version of their snapshot. */
export type WrittenServerInfo = { readonly id: string; readonly version: number };

/** The repository: `{tenant}/{repo}`, and its id if it must be that one. */
export type ServerInfoSubject = { readonly repository: string; readonly id?: string };

/** Writes all files from a snapshot, none of whose packs is in the tail. `name` is `{tenant}/{repo}`. */
export async function writeServerInfo(snapshot: OpenSnapshot, files: BareFiles, name: string): Promise<void> {
  const names = { repository: snapshot.record.spelled ?? name, packName: (pack: PackRecord): string => pack.name };
  // Borrowed packs lie under other prefixes, which the alternates name.
  const own = { ...snapshot, packs: snapshot.packs.filter(({ loan }) => loan === undefined) };
  if (snapshot.record.forkOf !== undefined)
    await files.write("objects/info/alternates", formatServerInfo("objects/info/alternates", snapshot, names));
  for (const file of WRITE_ORDER) {
    await files.write(file, formatServerInfo(file, own, names));
  }
}
