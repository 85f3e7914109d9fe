/**
 * Stores what mirrors' readers need: the pointer in R2, and the snapshot in KV.
 *
 * KV is read at every edge and may be a minute behind, so it decides nothing. A snapshot never changes under its key,
 * and the pointer says which key, and for whom. See `refs/mirror-pointer.ts`.
 *
 * @packageDocumentation
 */
import { decodeSnapshot, encodeSnapshot, type MirrorSnapshot } from "../mirror/snapshot.ts";
import { type MirrorPointer, mirrorPointerKey, parsePointer } from "../refs/mirror-pointer.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import type { RequestCounters } from "./request-counters.ts";

/** Bytes of a piece; a value may have 25 MiB. */
const PIECE_BYTES = 20 * 1024 * 1024;

type Metadata = { readonly syncedAt?: number };

/** The Worker's bindings that are used. */
export type SnapshotEnv = { readonly BUCKET: R2Bucket; readonly KV: KVNamespace };

function snapshotPrefix(id: string, version?: number): string {
  return version === undefined ? `mirror/${id}/` : `mirror/${id}/${version}/`;
}

/** The snapshots of mirrors, for one request or job. */
export class MirrorSnapshots {
  readonly #env: SnapshotEnv;
  readonly #counters: RequestCounters;

  constructor(env: SnapshotEnv, counters: RequestCounters) {
    this.#env = env;
    this.#counters = counters;
  }

  /** Returns the pointer of `{tenant}/{repo}`; `undefined` if there is none. */
  async pointer(repository: string): Promise<MirrorPointer | undefined> {
    const key = mirrorPointerKey(repository);
    const object = await this.#counters.run("r2r", () => this.#env.BUCKET.get(key));
    if (object === null) return undefined;
    this.#counters.addBytesRead(object.size);
    return parsePointer(await object.text());
  }

  /**
   * Returns the snapshot that a pointer names, and when the mirror was last in step; `undefined` if KV does not have it
   * yet.
   */
  async read({ record, version, pieces }: MirrorPointer): Promise<(MirrorSnapshot & Metadata) | undefined> {
    const prefix = snapshotPrefix(record.id, version);
    const values = await Promise.all(
      Array.from({ length: pieces }, (_, piece) =>
        this.#counters.run("kv", () =>
          this.#env.KV.getWithMetadata<Metadata>(`${prefix}${piece}`, { type: "arrayBuffer" }),
        ),
      ),
    );
    const bytes = values.flatMap(({ value }) => (value === null ? [] : [new Uint8Array(value)]));
    if (bytes.length < pieces) return undefined;
    return { ...decodeSnapshot(bytes), ...values[0]?.metadata };
  }

  /** Writes a snapshot of all refs and the catalog. Returns the number of its pieces. */
  async write(snapshot: OpenSnapshot, syncedAt: number): Promise<number> {
    const prefix = snapshotPrefix(snapshot.record.id, snapshot.version);
    const pieces = encodeSnapshot(snapshot, PIECE_BYTES);
    for (const [piece, bytes] of pieces.entries()) {
      await this.#env.KV.put(`${prefix}${piece}`, bytes, { metadata: { syncedAt } });
    }
    return pieces.length;
  }

  /** Deletes the snapshot of a version, or all snapshots. */
  async delete(id: string, version?: number): Promise<void> {
    const prefix = snapshotPrefix(id, version);
    for (let isMore = true; isMore;) {
      const page = await this.#env.KV.list({ prefix });
      for (const { name } of page.keys) await this.#env.KV.delete(name);
      isMore = !page.list_complete;
    }
  }
}
