/**
 * Watches the blobs of a push for a repository's rules about Git LFS, and for the objects that their pointers name.
 *
 * @packageDocumentation
 */
import { LimitExceeded, ObjectRejected } from "../bytes/failure.ts";
import { lfsPointerIn, LONGEST_POINTER } from "../object/lfs-pointer.ts";
import type { LfsRules } from "../refs/lfs-rules.ts";
import type { BlobWatch } from "../store/ingest/object-intake.ts";

/** The most pointers of one push that are looked up. */
const MOST_POINTERS = 100_000;
/** The most objects that are told as named. Pointers of a larger push are looked for later. */
const MOST_TOLD = 20_000;
/** Missing objects that a refusal names. */
const MOST_NAMED = 20;

/** The watch over one push. */
export class LfsWatch implements BlobWatch {
  readonly #rules: LfsRules;
  readonly #pointers = new Set<string>();

  constructor(rules: LfsRules) {
    this.#rules = rules;
  }

  /** Whether there are rules that a blob could break. */
  get hasRules(): boolean {
    return this.#rules.requireObjects || this.#rules.above > 0;
  }

  /** Whether more objects are named than {@link LfsWatch.named} tells. */
  get isBeyondCount(): boolean {
    return this.#pointers.size > MOST_TOLD;
  }

  /** The objects that pointers of the push name; none if there are too many to be told. */
  get named(): readonly string[] {
    return this.#pointers.size > MOST_TOLD ? [] : [...this.#pointers];
  }

  /** See `BlobWatch`. @throws ObjectRejected, LimitExceeded */
  see(size: number, content: Uint8Array | undefined, name: () => string): void {
    const { requireObjects, above } = this.#rules;
    if (above > 0 && size > above) {
      throw new ObjectRejected(
        `object ${name()} of ${size} bytes has to go to Git LFS, as all above ${above}: git lfs migrate import --above=${above}b`,
      );
    }
    if (content === undefined || size >= LONGEST_POINTER) return;
    if (!requireObjects && this.#pointers.size > MOST_TOLD) return;
    const pointer = lfsPointerIn(content);
    if (pointer === undefined) return;
    this.#pointers.add(pointer.oid);
    if (!requireObjects || this.#pointers.size <= MOST_POINTERS) return;
    throw new LimitExceeded(
      "lfs-pointers",
      MOST_POINTERS,
      `more than ${MOST_POINTERS} new pointers: push them in parts`,
    );
  }

  /**
   * Refuses the push if objects of its pointers are missing. `missing` returns those that are.
   *
   * @throws ObjectRejected
   */
  async settle(missing: (oids: readonly string[]) => Promise<readonly string[]>): Promise<void> {
    if (!this.#rules.requireObjects || this.#pointers.size === 0) return;
    const gone = await missing([...this.#pointers]);
    if (gone.length === 0) return;
    const more = gone.length > MOST_NAMED ? ` and ${gone.length - MOST_NAMED} more` : "";
    throw new ObjectRejected(
      `Git LFS objects are missing, push them with git lfs push --all: ${gone.slice(0, MOST_NAMED).join(", ")}${more}`,
    );
  }
}
