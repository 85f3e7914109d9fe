/**
 * Makes deltas for a small fetch on what the client has. A pack that was pushed at once has the newest version of a tree
 * or file whole, and the older ones as deltas on it. A fetch of the newest commit would send all of it whole, though the
 * client has nearly the same at the same path.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `mostEntries` | 200 | a fetch of more objects makes none: processor time for bytes |
 * | `mostBytes` | 256 KiB | an object, or base, that is larger is sent as it is stored |
 * | `mostWork` | 3 MiB | bytes of objects and bases together, some 40 ms of processor time |
 * | `leastBytes` | 100 | an entry that is smaller is not worth it |
 *
 * @packageDocumentation
 * @see git-pack-objects(1), `--thin`
 */
import { f64At, i32At } from "../bytes/assert.ts";
import { findSorted } from "../bytes/sorted.ts";
import { createDelta } from "../format/delta-encoder.ts";
import { EntryHeader, MAX_ENTRY_HEADER_BYTES, encodeEntryHeader } from "../format/pack-entry.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { SELECTED, UNINTERESTING } from "../kernel/object-flags.ts";
import { textOf } from "../object/byte-text.ts";
import { OFS_DELTA, REF_DELTA } from "../object/object-type.ts";
import { TreeReader, isGitlink, isTree } from "../object/tree.ts";
import type { PackSelection } from "./pack-selection.ts";
import type { FetchSession } from "./pack-session.ts";

const MAKING = { mostEntries: 200, mostBytes: 256 * 1024, mostWork: 3 * 1024 * 1024, leastBytes: 100 } as const;

/** The entries of a tree that are files, by name. */
async function filesOf(graph: GraphSession, tree: number): Promise<Map<string, Uint8Array>> {
  const { bytes } = await graph.reader.readCopy(graph.nameOf(tree));
  const reader = new TreeReader(bytes, 0, bytes.length, graph.format.rawSize);
  const files = new Map<string, Uint8Array>();
  while (reader.next()) {
    if (isTree(reader.mode) || isGitlink(reader.mode)) continue;
    const name = bytes.subarray(reader.oidAt, reader.oidAt + graph.format.rawSize);
    files.set(textOf(bytes.subarray(reader.nameAt, reader.nameEnd)), name);
  }
  return files;
}

/** Pairs each selected tree and file with what the client has at the same path. */
async function pairs(graph: GraphSession): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for (const [tree, base] of graph.treeBases) {
    if (!graph.has(tree, SELECTED) || !graph.has(base, UNINTERESTING)) continue;
    found.set(tree, base);
    const before = await filesOf(graph, base);
    for (const [name, oid] of await filesOf(graph, tree)) {
      const file = graph.findNode(oid);
      const old = before.get(name);
      if (file < 0 || old === undefined || !graph.has(file, SELECTED) || found.has(file)) continue;
      found.set(file, graph.node(old));
    }
  }
  return found;
}

/** What is made of one entry. */
type Candidate = { readonly node: number; readonly base: number; readonly offset: number; readonly end: number };

/** Returns the entries of a part that have a base, with their places. */
async function candidatesOf(
  graph: GraphSession,
  part: PackSelection,
  bases: ReadonlyMap<number, number>,
): Promise<Candidate[]> {
  const { rawSize } = graph.format;
  const nodes = [...part.nodes].filter((node) => bases.has(node));
  const names = new Uint8Array(nodes.length * rawSize);
  for (const [i, node] of nodes.entries()) names.set(graph.nameOf(node), i * rawSize);
  const positions = await part.handle.find(
    names,
    Uint32Array.from(nodes, (_, i) => i),
  );
  const offsets = await part.handle.offsets(Array.from(positions));
  return nodes.flatMap((node, i) => {
    const offset = offsets[i];
    const base = bases.get(node);
    if (i32At(positions, i) < 0 || offset === undefined || base === undefined) return [];
    const at = findSorted(part.offsets.length, offset, (rank) => f64At(part.offsets, rank));
    return at < 0 ? [] : [{ node, base, offset, end: f64At(part.ends, at) }];
  });
}

/** Makes deltas for the entries of small selections. */
class ThinDeltas {
  readonly #graph: GraphSession;
  readonly #deflate: (bytes: Uint8Array) => Uint8Array;
  readonly #mayBuildOn: (name: Uint8Array) => boolean;
  readonly #header = new EntryHeader();
  #work = 0;

  constructor(session: FetchSession, mayBuildOn: (name: Uint8Array) => boolean) {
    this.#graph = session.graph;
    this.#deflate = session.repository.deflate;
    this.#mayBuildOn = mayBuildOn;
  }

  async of(part: PackSelection, bases: ReadonlyMap<number, number>): Promise<Map<number, Uint8Array>> {
    const made = new Map<number, Uint8Array>();
    const candidates = await candidatesOf(this.#graph, part, bases);
    await this.#graph.prefetch(candidates.map(({ base }) => base));
    for (const candidate of candidates) {
      if (this.#work > MAKING.mostWork) break;
      const stored = candidate.end - candidate.offset;
      if (stored < MAKING.leastBytes || stored > MAKING.mostBytes || (await this.#isGood(part, candidate))) continue;
      const entry = await this.#make(candidate);
      if (entry !== undefined && entry.length < stored) made.set(candidate.offset, entry);
    }
    return made;
  }

  /** Whether the stored entry is a delta that goes out as it is. */
  async #isGood(part: PackSelection, { offset }: Candidate): Promise<boolean> {
    const { rawSize } = this.#graph.format;
    const bytes = await part.handle.bytesFrom(offset);
    const header = this.#header;
    // A header that goes on in the next block is a rare one: its entry goes out as it is.
    if (header.decode(bytes, 0, bytes.length, rawSize) === "short") return true;
    if (header.type === REF_DELTA) return this.#mayBuildOn(bytes.subarray(header.baseAt, header.baseAt + rawSize));
    if (header.type !== OFS_DELTA) return false;
    return findSorted(part.offsets.length, offset - header.distance, (rank) => f64At(part.offsets, rank)) >= 0;
  }

  async #make({ node, base }: Candidate): Promise<Uint8Array | undefined> {
    const { reader } = this.#graph;
    const baseName = this.#graph.nameOf(base);
    const from = await reader.copyIfHeld(baseName);
    const to = await reader.copyIfHeld(this.#graph.nameOf(node));
    if (from === undefined || to === undefined) return undefined;
    if (from.bytes.length > MAKING.mostBytes || to.bytes.length > MAKING.mostBytes) return undefined;
    this.#work += from.bytes.length + to.bytes.length;
    const delta = createDelta(from.bytes, to.bytes);
    const deflated = this.#deflate(delta);
    const header = new Uint8Array(MAX_ENTRY_HEADER_BYTES);
    const at = encodeEntryHeader(REF_DELTA, delta.length, header, 0);
    const entry = new Uint8Array(at + baseName.length + deflated.length);
    entry.set(header.subarray(0, at));
    entry.set(baseName, at);
    entry.set(deflated, at + baseName.length);
    return entry;
  }
}

/**
 * Returns the selections with entries made anew, as deltas on what the client has, where that is smaller than what is
 * stored.
 *
 * @param mayBuildOn - Whether an object goes along, or the client has it.
 */
export async function withThinDeltas(
  session: FetchSession,
  parts: readonly PackSelection[],
  mayBuildOn: (name: Uint8Array) => boolean,
): Promise<readonly PackSelection[]> {
  const { graph } = session;
  let count = 0;
  for (const { offsets } of parts) count += offsets.length;
  if (graph.treeBases.size === 0 || count > MAKING.mostEntries) return parts;
  const bases = await pairs(graph);
  const deltas = new ThinDeltas(session, mayBuildOn);
  const result: PackSelection[] = [];
  for (const part of parts) {
    const made = await deltas.of(part, bases);
    result.push(made.size === 0 ? part : { ...part, made });
  }
  return result;
}
