/**
 * A commit-graph that takes more memory than a reader has for it, read in parts: some of its layers at a time, and small ranges of the others.
 *
 * The layers of a long history are stretches of it, one on the other, and a walk goes through a stretch before it comes to the next. So a layer is what
 * is brought into memory, and the one that was used longest ago makes room for it. A name is looked up in a bucket of a layer's table of
 * names. Once many were looked up in a layer, the beginnings of all its names tell of most others that it does not have them.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import type { CommitGraphLayer } from "./commit-graph-layer.ts";
import { PREFIX_BYTES } from "./name-prefixes.ts";
import { READING } from "./reading-policy.ts";

/** The ranges of a layer that are read to look names up, before the beginnings of all its names are. */
const FEW_RANGES = 16;
/** The ranges that are read of all layers. A reader that needs more reads commits from their packs. */
const MOST_RANGES = 1000;
/** How often each layer may be brought into memory on average, and how much more often all together. */
const MOST_LOADS = 3;
const MORE_LOADS = 8;
/** The names of parents in other layers that are remembered. */
const MOST_NAMES = 10_000;

/** The memory of a reader. */
export type PartsMemory = {
  /** Takes this many bytes. Returns false if there is no room. */
  take(bytes: number): boolean;
  /** Gives this many bytes back. */
  giveBack(bytes: number): void;
};

/** The parts of one graph. Every method that returns a promise of false, or of `undefined`, has found that the graph takes too much to be used. */
export class CommitGraphParts {
  readonly #layers: readonly CommitGraphLayer[];
  readonly #memory: PartsMemory;
  readonly #mostBytes: number;
  /** The layers in memory, that which was used longest ago first. */
  #held: CommitGraphLayer[] = [];
  readonly #coming = new Map<CommitGraphLayer, Promise<void>>();
  readonly #names = new Map<number, Uint8Array>();
  #loads = 0;

  constructor(layers: readonly CommitGraphLayer[], memory: PartsMemory, mostBytes: number) {
    this.#layers = layers;
    this.#memory = memory;
    this.#mostBytes = mostBytes;
  }

  /** Reads the beginning of each layer. @throws CorruptStore */
  async open(): Promise<void> {
    for (let next = 0; next < this.#layers.length; next += READING.readsAtOnce) {
      const batch = this.#layers.slice(next, next + READING.readsAtOnce);
      await Promise.all(batch.map(async (layer) => await layer.loadHead()));
    }
  }

  /** Lets go of everything. What was taken and not given back is for the caller to give back. */
  close(): void {
    for (const layer of this.#layers) layer.forget();
    this.#held = [];
    this.#names.clear();
  }

  #layerOf(position: number): CommitGraphLayer {
    let at = this.#layers.length - 1;
    while (at > 0 && itemAt(this.#layers, at).base > position) at--;
    return itemAt(this.#layers, at);
  }

  /** Returns the raw name at a position, if it is in memory. */
  nameAt(position: number): Uint8Array | undefined {
    const layer = this.#layerOf(position);
    return layer.isLoaded ? layer.nameAt(position) : this.#names.get(position);
  }

  /** Whether a commit can be read now: its layer is in memory, and so are the names of its parents. */
  isReadable(position: number): boolean {
    const layer = this.#layerOf(position);
    if (!layer.isLoaded) return false;
    if (this.#held.at(-1) !== layer) this.#held = [...this.#held.filter((held) => held !== layer), layer];
    return layer.parentsAt(position).every((parent) => this.nameAt(parent) !== undefined);
  }

  /** Brings into memory what {@link isReadable} wants. Something else may have taken its place when this has ended. @throws CorruptStore */
  async prepare(position: number): Promise<boolean> {
    const layer = this.#layerOf(position);
    if (!(await this.#bring(layer))) return false;
    if (!layer.isLoaded) return true;
    if (this.#names.size > MOST_NAMES) this.#names.clear();
    for (const parent of layer.parentsAt(position)) {
      if (this.nameAt(parent) !== undefined) continue;
      if (this.#ranges > MOST_RANGES) return false;
      this.#names.set(parent, await this.#layerOf(parent).readName(parent));
    }
    return true;
  }

  async #bring(layer: CommitGraphLayer): Promise<boolean> {
    const coming = this.#coming.get(layer);
    if (coming !== undefined) await coming;
    if (layer.isLoaded) return true;
    if (++this.#loads > MOST_LOADS * this.#layers.length + MORE_LOADS) return false;
    const bytesOf = (layers: readonly CommitGraphLayer[]): number =>
      layers.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    while (this.#held.length > 0 && bytesOf(this.#held) + layer.bodyBytes > this.#mostBytes) {
      const oldest = this.#held.shift();
      oldest?.unload();
      this.#memory.giveBack(oldest?.bodyBytes ?? 0); // There is one.
    }
    if (!this.#memory.take(layer.bodyBytes)) return false;
    this.#held.push(layer);
    const loading = layer.load();
    this.#coming.set(layer, loading);
    try {
      await loading;
    } finally {
      this.#coming.delete(layer);
    }
    return true;
  }

  get #ranges(): number {
    return this.#layers.reduce((sum, { reads }) => sum + reads, 0);
  }

  /** Returns the position of a raw name; -1 if no layer has it. @throws CorruptStore */
  async locate(name: Uint8Array): Promise<number | undefined> {
    const apart: CommitGraphLayer[] = [];
    for (const layer of this.#layers) {
      const position = layer.find(name);
      if (position >= 0) return position;
      if (!layer.isLoaded) apart.push(layer);
    }
    for (const layer of apart)
      if (layer.reads > FEW_RANGES && !layer.hasPrefixes && this.#memory.take(layer.record.commits * PREFIX_BYTES))
        await layer.loadPrefixes();
    const asked = apart.filter((layer) => layer.mayHave(name));
    for (let next = 0; next < asked.length; next += READING.readsAtOnce) {
      if (this.#ranges > MOST_RANGES) return undefined;
      const batch = asked.slice(next, next + READING.readsAtOnce);
      const found = await Promise.all(batch.map(async (layer) => await layer.locate(name)));
      const position = found.find((each) => each >= 0);
      if (position !== undefined) return position;
    }
    return -1;
  }
}
