/**
 * What clients of a host that may be killed were told, and what they asked for without an answer. Of what was acknowledged, nothing may be
 * missing afterwards. What was not answered has been done whole, or not at all.
 *
 * @packageDocumentation
 */

/** Stands for a value that only the host knows before it is made. */
export const ANY_NEW = "*";

/** A change that a client asks for. One client alone changes a key, and waits for each answer. */
export type Change = {
  readonly kind: string;
  /** What each key has afterwards; `undefined` where it is gone. */
  readonly after: ReadonlyMap<string, string | undefined>;
  /** Sends the request. Resolves with what was made; rejects where there is no whole answer. */
  send(): Promise<Outcome>;
};

/** What a request came to. */
export type Outcome =
  | { readonly kind: "done"; /** The value that stands for {@link ANY_NEW}. */ readonly made?: string }
  | { readonly kind: "busy" }
  | { readonly kind: "refused"; readonly why: string };

/** The values that a host has to have. */
export class CrashModel {
  readonly known = new Map<string, string>();
  /** Each value that a key ever had, as far as anybody knows: `{key} {value}`. */
  readonly ever = new Set<string>();
  readonly pending = new Set<Change>();
  /** What should not be, each in a sentence. */
  readonly faults: string[] = [];
  /** How many changes of each kind were acknowledged. */
  readonly acknowledged = new Map<string, number>();
  /** How many changes without an answer turned out as done, and as not done. */
  readonly cut = { done: 0, undone: 0 };

  /** Takes a change as done. */
  acknowledge(change: Change, made?: string): void {
    this.pending.delete(change);
    this.acknowledged.set(change.kind, (this.acknowledged.get(change.kind) ?? 0) + 1);
    this.#apply(change, (value) => (value === ANY_NEW ? made : value));
  }

  #apply({ after }: Change, valueOf: (value: string | undefined, key: string) => string | undefined): void {
    for (const [key, value] of after) {
      const now = valueOf(value, key);
      if (now === undefined) this.known.delete(key);
      else this.known.set(key, now);
      this.ever.add(`${key} ${now}`);
    }
  }

  /** Forgets the keys that begin so. */
  forget(prefix: string): void {
    for (const key of this.known.keys()) if (key.startsWith(prefix)) this.known.delete(key);
  }

  #isAfter(change: Change, found: ReadonlyMap<string, string>): boolean {
    return [...change.after].every(([key, value]) =>
      value === ANY_NEW ? found.has(key) && found.get(key) !== this.known.get(key) : found.get(key) === value,
    );
  }

  #isBefore(change: Change, found: ReadonlyMap<string, string>): boolean {
    return [...change.after.keys()].every((key) => found.get(key) === this.known.get(key));
  }

  /**
   * Compares all keys that begin so with what is found, once the host is there again. Returns the changes that were not
   * answered, each with whether it was done.
   */
  observe(prefix: string, found: ReadonlyMap<string, string>): Map<Change, boolean> {
    const settled = new Map<Change, boolean>();
    for (const change of this.pending) {
      const keys = [...change.after.keys()];
      if (!keys.some((key) => key.startsWith(prefix))) continue;
      const isDone = this.#isAfter(change, found);
      if (!isDone && !this.#isBefore(change, found)) {
        const shown = keys.map((key) => `${key}: ${this.known.get(key)} -> ${found.get(key)}`).join(", ");
        this.faults.push(`half of a change (${change.kind}) was done: ${shown}`);
      }
      this.pending.delete(change);
      this.cut[isDone ? "done" : "undone"] += 1;
      if (isDone) this.#apply(change, (_, key) => found.get(key));
      settled.set(change, isDone);
    }
    for (const [key, value] of this.known) {
      if (key.startsWith(prefix) && found.get(key) !== value)
        this.faults.push(`${key} was acknowledged as ${value}, and is ${found.get(key)}`);
    }
    for (const [key, value] of found) {
      if (!this.known.has(key)) this.faults.push(`${key} is ${value}, and nobody made it`);
    }
    return settled;
  }
}
