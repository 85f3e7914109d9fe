/**
 * What is held in memory of a layer of the commit-graph: the part that walks need, and the filters of changed paths.
 *
 * @packageDocumentation
 * @see gitformat-commit-graph(5)
 */
import { CorruptStore } from "../bytes/failure.ts";
import {
  BLOOM_HEADER_BYTES,
  type ChunkRange,
  COMMIT_ROW_BYTES,
  type CommitGraphHead,
  type CommitRow,
  decodeCommitRow,
  EDGE_BIT,
  isKnownFilter,
  NO_PARENT,
} from "../format/commit-graph.ts";
import { findName } from "../format/pack-index.ts";

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The part of a layer that walks need. Positions here are rows of the layer, but for those of parents. */
export class LayerBody {
  readonly head: CommitGraphHead;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #namesAt: number;
  readonly #rowsAt: number;
  readonly #correctionsAt: number;

  /** `bytes` is the file up to the end of {@link CommitGraphHead.walkRange}, or more of it. */
  constructor(head: CommitGraphHead, bytes: Uint8Array) {
    this.head = head;
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#namesAt = head.chunkOf("OIDL").offset;
    this.#rowsAt = head.chunkOf("CDAT").offset;
    this.#correctionsAt = head.chunkOf("GDA2").offset;
  }

  /** Returns the row of a raw name; -1 if the layer has none. */
  find(name: Uint8Array): number {
    const { rawSize } = this.head.format;
    const [first, last] = this.head.bucketOf(name);
    const at = this.#namesAt;
    const rank = findName(this.#bytes.subarray(at + first * rawSize, at + last * rawSize), name);
    return rank < 0 ? -1 : first + rank;
  }

  nameAt(row: number): Uint8Array {
    const { rawSize } = this.head.format;
    const at = this.#namesAt + row * rawSize;
    return this.#bytes.subarray(at, at + rawSize);
  }

  /** All names, one after the other, as a view. */
  get names(): Uint8Array {
    return this.#bytes.subarray(this.#namesAt, this.#namesAt + this.head.count * this.head.format.rawSize);
  }

  treeAt(row: number): Uint8Array {
    const { rawSize } = this.head.format;
    const at = this.#rowsAt + row * (rawSize + COMMIT_ROW_BYTES);
    return this.#bytes.subarray(at, at + rawSize);
  }

  rowAt(row: number): CommitRow {
    const { rawSize } = this.head.format;
    return decodeCommitRow(this.#view, this.#rowsAt + row * (rawSize + COMMIT_ROW_BYTES), rawSize);
  }

  correctionAt(row: number): number {
    const correction = this.#view.getUint32(this.#correctionsAt + row * 4);
    if (correction < EDGE_BIT) return correction;
    const at = this.#in(this.head.chunk("GDO2"), (correction - EDGE_BIT) * 8, 8);
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }

  /** Checks that each parent is one of the first `count` commits. @throws CorruptStore */
  assertParents(count: number): void {
    const { rawSize } = this.head.format;
    const further = this.head.chunk("EDGE") ?? { offset: 0, length: 0 }; // Most layers have none.
    const edges = further.length / 4;
    const assertIn = (position: number, most: number): void => {
      if (position >= most) throw new CorruptStore("commit-graph: parent out of bounds");
    };
    for (let row = 0; row < this.head.count; row++) {
      const at = this.#rowsAt + row * (rawSize + COMMIT_ROW_BYTES) + rawSize;
      const first = this.#view.getUint32(at);
      const second = this.#view.getUint32(at + 4);
      if (first !== NO_PARENT) assertIn(first, count);
      if (second >= EDGE_BIT) assertIn(second - EDGE_BIT, edges);
      else if (second !== NO_PARENT) assertIn(second, count);
    }
    const edgeAt = (edge: number): number => this.#view.getUint32(further.offset + edge * 4);
    for (let edge = 0; edge < edges; edge++) assertIn(edgeAt(edge) % EDGE_BIT, count);
    // Else the parents of the last commit would have no end.
    if (edges > 0 && edgeAt(edges - 1) < EDGE_BIT) assertIn(edges, edges);
  }

  /** Adds the positions of the parents of a row to `into`. */
  addParents({ first, second }: CommitRow, into: number[]): void {
    if (first === NO_PARENT) return;
    into.push(first);
    if (second === NO_PARENT) return;
    if (second < EDGE_BIT) {
      into.push(second);
      return;
    }
    for (let edge = second - EDGE_BIT; ; edge++) {
      const parent = this.#view.getUint32(this.#in(this.head.chunk("EDGE"), edge * 4, 4));
      into.push(parent % EDGE_BIT);
      if (parent >= EDGE_BIT) return;
    }
  }

  #in(chunk: ChunkRange | undefined, at: number, length: number): number {
    if (chunk === undefined || at + length > chunk.length) throw new CorruptStore("commit-graph: row out of bounds");
    return chunk.offset + at;
  }
}

/** The filters of a layer's commits. */
export class LayerFilters {
  readonly #ends: DataView;
  readonly #bytes: Uint8Array;

  /** `index` and `data` are the chunks. @throws CorruptStore if they are not as this host writes them. */
  constructor(index: Uint8Array, data: Uint8Array) {
    if (!isKnownFilter(viewOf(data))) throw new CorruptStore("commit-graph: filters of another version");
    this.#ends = viewOf(index);
    this.#bytes = data.subarray(BLOOM_HEADER_BYTES);
    let before = 0;
    for (let row = 0; row < index.length / 4; row++) {
      const end = this.#endAt(row);
      if (end < before || end > this.#bytes.length) throw new CorruptStore("commit-graph: filters out of order");
      before = end;
    }
  }

  #endAt(row: number): number {
    return this.#ends.getUint32(row * 4);
  }

  /** Returns the filter of a row, without bytes if there is none. */
  at(row: number): Uint8Array {
    return this.#bytes.subarray(row === 0 ? 0 : this.#endAt(row - 1), this.#endAt(row));
  }
}
