/**
 * A map of bounded size whose entries count for a bounded time. An isolate remembers hints in it that save calls.
 *
 * @packageDocumentation
 */

/** The bounds of a map: how long an entry counts, in milliseconds, and how many entries there may be. */
export type MapBounds = { readonly time: number; readonly most: number };

/** Remembers a value per key for a time. The caller tells the time, in milliseconds since the epoch. */
export class ExpiringMap<Value> {
  readonly #bounds: MapBounds;
  /** The entries, the one set longest ago first. */
  readonly #entries = new Map<string, { readonly value: Value; readonly until: number }>();

  constructor(bounds: MapBounds) {
    this.#bounds = bounds;
  }

  /** Returns the value of a key; `undefined` if it has none, or if its time is over. */
  get(key: string, now: number): Value | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.until > now ? entry.value : undefined;
  }

  /** Whether a key has a value whose time is not over. */
  has(key: string, now: number): boolean {
    return this.get(key, now) !== undefined;
  }

  /** Sets the value of a key, and starts its time anew. A full map drops the entry that was set longest ago. */
  set(key: string, value: Value, now: number): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#bounds.most) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, until: now + this.#bounds.time });
  }

  /** Forgets a key. */
  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Forgets the keys that begin with a text. */
  deletePrefix(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }
}
