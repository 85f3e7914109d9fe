/**
 * Snapshots of mirrors: all refs and the catalog as of one version, so that readers need no Durable Object. They never
 * tell who may read. That is up to the pointer, which lies in the bucket, where a deleted object is gone at once.
 *
 * ```text
 * snapshot := u32 length of header (big-endian) | header (JSON) | chunks of refs | packs
 * packs    := of each pack its index head, then its types
 * ```
 *
 * A snapshot is written once under a key that has its version in it, in pieces of a size that the store takes.
 *
 * @packageDocumentation
 */
import { concat } from "../bytes/chunk.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import { atOnce } from "../bytes/pacer.ts";
import { objectFormat } from "../object/object-id.ts";
import { RefPrefixes } from "../refs/ref-prefixes.ts";
import { decodeRefRows, encodeRefRows, type RefRow } from "../refs/ref-rows.ts";
import type { MirrorPointer } from "../refs/mirror-pointer.ts";
import type { OpenSnapshot, OpenRequest } from "../refs/ref-store.ts";
import type { CloneTwin } from "../catalog/clone-twin.ts";
import type { CommitGraphRecord } from "../catalog/commit-graph-record.ts";
import type { PackRecord } from "../catalog/pack-record.ts";

/** A decoded snapshot. */
export type MirrorSnapshot = {
  /** The encoded rows of all refs, in order. */
  readonly refs: readonly Uint8Array[];
  /** The number of distinct values of refs. */
  readonly tips: number;
  readonly packs: readonly PackRecord[];
  readonly graphs?: readonly CommitGraphRecord[];
  readonly twin?: CloneTwin;
};

type StoredPack = Omit<PackRecord, "indexHead" | "kinds"> & {
  readonly indexHead: number;
  readonly kinds: number | undefined;
};
type Header = {
  readonly refs: readonly number[];
  readonly tips: number;
  readonly packs: readonly StoredPack[];
  /** Absent if there are none. */
  readonly graphs?: readonly CommitGraphRecord[] | undefined;
  readonly twin?: CloneTwin | undefined;
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LENGTH_BYTES = 4;

/** Encodes a snapshot that holds all refs and the catalog, in pieces of at most `pieceBytes`. */
export function encodeSnapshot(
  { record, refs, packs, graphs, twin }: OpenSnapshot,
  pieceBytes: number,
): Uint8Array<ArrayBuffer>[] {
  const { rawSize } = objectFormat(record.objectFormat);
  const header: Header = {
    refs: refs.map((chunk) => chunk.length),
    tips: atOnce(countTips(refs, rawSize)),
    packs: packs.map((pack) => ({ ...pack, indexHead: pack.indexHead.length, kinds: pack.kinds?.length })),
    ...(graphs === undefined ? {} : { graphs }),
    ...(twin === undefined ? {} : { twin }),
  };
  const text = encoder.encode(JSON.stringify(header));
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, text.length);
  const blobs = packs.flatMap(({ indexHead, kinds }) => (kinds === undefined ? [indexHead] : [indexHead, kinds]));
  const whole = concat([length, text, ...refs, ...blobs]);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < whole.length; at += pieceBytes) pieces.push(whole.slice(at, at + pieceBytes));
  return pieces;
}

/** Steps that are taken without a pause, and steps of a ref beside those of the characters of its name. */
const PART_STEPS = 100_000;
const ROW_STEPS = 100;
/** Objects' names that are made text without a pause, and the steps of each. */
const NAMES_AT_ONCE = 2000;
const NAME_STEPS = 50;

/** Returns the number of distinct values of refs. Yields the steps of each part. */
export function* countTips(refs: readonly Uint8Array[], rawSize: number): Generator<number, number, undefined> {
  const tips = new Set<string>();
  yield* eachRow(decodeRefRows(refs, rawSize), ({ oid }) => tips.add(toHex(oid)));
  return tips.size;
}

/** Decodes a snapshot. The result holds views into the concatenated pieces. @throws CorruptStore */
export function decodeSnapshot(pieces: readonly Uint8Array[]): MirrorSnapshot {
  const [first] = pieces;
  const whole = first !== undefined && pieces.length === 1 ? first : concat(pieces);
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (at + length > whole.length) throw new CorruptStore("a mirror's snapshot is cut off");
    at += length;
    return whole.subarray(at - length, at);
  };
  const lengthField = take(LENGTH_BYTES);
  const length = new DataView(lengthField.buffer, lengthField.byteOffset).getUint32(0);
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- written by encodeSnapshot, under a key of nobody else's
  const header = JSON.parse(decoder.decode(take(length))) as Header;
  return {
    refs: header.refs.map(take),
    tips: header.tips,
    packs: header.packs.map(({ indexHead, kinds, ...pack }) => ({
      ...pack,
      indexHead: take(indexHead),
      ...(kinds === undefined ? {} : { kinds: take(kinds) }),
    })),
    ...(header.graphs === undefined ? {} : { graphs: header.graphs }),
    ...(header.twin === undefined ? {} : { twin: header.twin }),
  };
}

/** Whether a request needs the snapshot, and not the pointer alone. */
export function needsSnapshot({ packs, refPrefixes, refNames, wants, wantRefs }: OpenRequest): boolean {
  return [packs, refPrefixes, refNames, wants, wantRefs].some((asked) => asked !== undefined);
}

const NOTHING: MirrorSnapshot = { refs: [], tips: 0, packs: [] };

/**
 * Answers a reader as the Durable Object would, but without the secret with which pushes are signed. Yields the steps of each
 * part of the refs that are looked at.
 */
export function* openSnapshotInParts(
  { record, version, headOid }: Omit<MirrorPointer, "pieces">,
  snapshot: MirrorSnapshot = NOTHING,
  request: OpenRequest = {},
): Generator<number, OpenSnapshot, undefined> {
  const { rawSize } = objectFormat(record.objectFormat);
  const rows = (): Iterable<RefRow> => decodeRefRows(snapshot.refs, rawSize);
  const { refPrefixes, refNames = [], wants, wantRefs = [] } = request;
  const values = yield* valuesOf(rows, wantRefs);
  // An empty text stands for a missing ref.
  const wantedRefs = wantRefs.map((name) => (name === "HEAD" ? headOid : values.get(name)) ?? "");
  const byRef = wantedRefs.flatMap((hex) => (hex === "" ? [] : (fromHex(hex) ?? [])));
  const tips =
    wants === undefined
      ? { wantIsTip: new Uint8Array(0), uncoveredTips: 0 }
      : yield* lookAtTips(concat([wants, ...byRef]), rows, snapshot.tips, rawSize);
  const below = yield* refsBelow(refPrefixes, snapshot.refs, rows);
  const named = yield* namedRefs(refNames, rows);
  return {
    kind: "found",
    record,
    version,
    ...(headOid === undefined ? {} : { headOid }),
    packs: request.packs === true ? snapshot.packs : [],
    ...(request.packs === true && snapshot.graphs !== undefined ? { graphs: snapshot.graphs } : {}),
    ...(request.packs === true && snapshot.twin !== undefined ? { twin: snapshot.twin } : {}),
    refs: [...below, ...named],
    wantedRefs,
    ...tips,
    ...(yield* lookAtHaves(request, snapshot, rows, rawSize)),
  };
}

/** Calls `visit` for each row, which takes `more` steps beside those of reading it. Yields the steps of each part. */
function* eachRow(rows: Iterable<RefRow>, visit: (row: RefRow) => void, more = 0): Generator<number, void, undefined> {
  let steps = 0;
  for (const row of rows) {
    visit(row);
    steps += ROW_STEPS + row.name.length + more;
    if (steps < PART_STEPS) continue;
    yield steps;
    steps = 0;
  }
}

/** Returns the values of those of the names that are refs, in hexadecimal. Yields the steps of each part. */
export function* valuesOfNames(
  refs: readonly Uint8Array[],
  rawSize: number,
  names: readonly string[],
): Generator<number, Map<string, string>, undefined> {
  return yield* valuesOf(() => decodeRefRows(refs, rawSize), names);
}

/** Returns which of the haves are tips, as `OpenRequest` says. */
function* lookAtHaves(
  { haves, packs: asksForPacks }: OpenRequest,
  { packs }: MirrorSnapshot,
  rows: () => Iterable<RefRow>,
  rawSize: number,
): Generator<number, Pick<OpenSnapshot, "tipHaves">, undefined> {
  if (haves === undefined || asksForPacks !== true || packs.every((pack) => pack.marked)) return {};
  const { wantIsTip } = yield* lookAtTips(haves, rows, 0, rawSize);
  const tipHaves: Uint8Array[] = [];
  for (const [i, isTip] of wantIsTip.entries()) {
    if (isTip !== 0) tipHaves.push(haves.subarray(i * rawSize, (i + 1) * rawSize));
  }
  return { tipHaves };
}

function* valuesOf(
  rows: () => Iterable<RefRow>,
  names: readonly string[],
): Generator<number, Map<string, string>, undefined> {
  const wanted = new Set(names);
  const values = new Map<string, string>();
  if (wanted.size === 0) return values;
  yield* eachRow(rows(), ({ name, oid }) => {
    if (wanted.has(name)) values.set(name, toHex(oid));
  });
  return values;
}

function* refsBelow(
  prefixes: readonly string[] | undefined,
  all: readonly Uint8Array[],
  rows: () => Iterable<RefRow>,
): Generator<number, readonly Uint8Array[], undefined> {
  if (prefixes === undefined) return [];
  if (prefixes.length === 0 || prefixes.includes("")) return all;
  const asked = new RefPrefixes(prefixes);
  yield asked.steps;
  return yield* chooseRows(rows(), ({ name }) => asked.match(name), asked.matchSteps);
}

function* namedRefs(
  names: readonly string[],
  rows: () => Iterable<RefRow>,
): Generator<number, readonly Uint8Array[], undefined> {
  const wanted = new Set(names);
  return wanted.size === 0 ? [] : yield* chooseRows(rows(), ({ name }) => wanted.has(name));
}

/** Encodes the rows that are wanted. `chooseSteps`: how many steps it takes to find that out of one. Yields the steps of each part. */
export function* chooseRows(
  rows: Iterable<RefRow>,
  isWanted: (row: RefRow) => boolean,
  chooseSteps = 0,
): Generator<number, Uint8Array[], undefined> {
  const chunks: Uint8Array[] = [];
  let part: RefRow[] = [];
  const take = (row: RefRow): void => {
    if (isWanted(row)) part.push(row);
  };
  for (const steps of eachRow(rows, take, chooseSteps)) {
    chunks.push(...encodeRefRows(part));
    part = [];
    yield steps;
  }
  return [...chunks, ...encodeRefRows(part)];
}

function* lookAtTips(
  wants: Uint8Array,
  rows: () => Iterable<RefRow>,
  distinctTips: number,
  rawSize: number,
): Generator<number, Pick<OpenSnapshot, "wantIsTip" | "uncoveredTips">, undefined> {
  const names: string[] = [];
  for (let at = 0; at + rawSize <= wants.length; at += rawSize) {
    names.push(toHex(wants, at, at + rawSize));
    if (names.length % NAMES_AT_ONCE === 0) yield NAMES_AT_ONCE * NAME_STEPS;
  }
  const asked = new Set(names);
  const tips = new Set<string>();
  const peeledTips = new Set<string>();
  yield* eachRow(rows(), ({ oid, peeled }) => {
    const hex = toHex(oid);
    if (asked.has(hex)) tips.add(hex);
    const peeledHex = peeled === undefined ? "" : toHex(peeled);
    if (asked.has(peeledHex)) peeledTips.add(peeledHex);
  });
  return {
    wantIsTip: Uint8Array.from(names, (name) => (tips.has(name) ? 1 : peeledTips.has(name) ? 2 : 0)),
    uncoveredTips: distinctTips - tips.size,
  };
}
