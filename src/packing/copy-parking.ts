/**
 * Copies without a kernel while the client is slow. Once everything is selected, a copy needs the kernel only to tell
 * which objects a delta may build on. A delta of a stored pack builds on an object of the same pack, so one bit per
 * object of the pack suffices. While the client is fast, the kernel's table answers. When the copy has to wait for the
 * client, the bits are taken from that table, and the kernel goes to another request.
 *
 * @packageDocumentation
 */
import { u8At } from "../bytes/assert.ts";
import type { PackIndex } from "../format/pack-index.ts";
import { PENDING } from "../kernel/object-flags.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import type { CopyOptions, PackCopy } from "./pack-copy.ts";
import { hasWithoutNode, type PackSelection } from "./pack-selection.ts";
import type { FetchSession } from "./pack-session.ts";

/** The packs and parts to be sent. */
export type CopyPlan = {
  readonly whole: readonly PackHandle[];
  readonly parts: readonly PackSelection[];
  /** See {@link CopyOptions}. */
  readonly mayBuildOn: CopyOptions["mayBuildOn"];
};

/** The objects of a pack that its deltas may build on: one bit per position of its index. */
class Buildable {
  readonly #index: PackIndex;
  readonly #bits: Uint8Array;

  constructor(index: PackIndex, isBuildable: (position: number) => boolean) {
    this.#index = index;
    this.#bits = new Uint8Array(Math.ceil(index.count / 8));
    for (let position = 0; position < index.count; position++) {
      if (isBuildable(position)) this.#bits[position >> 3] = u8At(this.#bits, position >> 3) | (1 << (position & 7));
    }
  }

  has(name: Uint8Array): boolean {
    const position = this.#index.find(name);
    return position >= 0 && (u8At(this.#bits, position >> 3) & (1 << (position & 7))) !== 0;
  }
}

/** The copying of one plan, with a kernel and without. */
export class CopyParking {
  readonly #session: FetchSession;
  readonly #plan: CopyPlan;
  readonly #buildable = new Map<PackSelection, Pick<Buildable, "has">>();
  #part: PackSelection | undefined;
  #copying: PackCopy | undefined;
  #parking: Promise<void> | undefined;
  #isParked = false;

  /**
   * Parks the copy when the client is slow, unless `isAlone` is false: then other work of the request writes to the
   * client meanwhile.
   */
  constructor(session: FetchSession, plan: CopyPlan, isAlone: boolean) {
    this.#session = session;
    this.#plan = plan;
    if (plan.parts.length === 0) return;
    const { memory } = session.repository;
    if (isAlone) memory.parkWith(() => this.#park());
    session.parkBeforeReading(async () => {
      memory.parkWith(undefined);
      this.#park();
      await this.#parking;
    });
  }

  /** Records the part that is copied from now on. */
  begin(part: PackSelection, copying: PackCopy): void {
    this.#part = part;
    this.#copying = copying;
  }

  /** Whether a delta of the part being copied may build on this object; see {@link CopyOptions}. */
  mayBuildOn(name: Uint8Array): boolean {
    const buildable = this.#part === undefined ? undefined : this.#buildable.get(this.#part);
    return buildable === undefined ? this.#plan.mayBuildOn(name) : buildable.has(name);
  }

  /** Settles when nothing that needs the kernel is under way. */
  async ended(): Promise<void> {
    await this.#parking;
    if (this.#isParked) this.#session.repository.memory.parkWith(() => this.#parkAgain());
  }

  /** Ends the copying: releases the memory counted, and parks no more. */
  end(): void {
    this.#session.repository.memory.parkWith(undefined);
  }

  #park(): void {
    this.#isParked = true;
    this.#copying?.letGo();
    this.#parking = this.#takeBits();
    // Awaited by {@link CopyParking.ended}; until then a failure must not count as unhandled.
    this.#parking.catch(() => undefined);
  }

  /** A client that was waited for once may be again: what was read since, and a kernel that was taken to read with, are let go of. */
  #parkAgain(): void {
    this.#copying?.letGo();
    this.#session.rest();
  }

  async #takeBits(): Promise<void> {
    const { graph } = this.#session;
    const { parts } = this.#plan;
    const first = this.#part === undefined ? 0 : parts.indexOf(this.#part);
    for (const part of parts.slice(first)) {
      const index = part.order?.index ?? (await part.handle.loadIndex());
      // As is done when the part's turn comes.
      if (part !== this.#part) for (const node of part.nodes) graph.unmark(node, PENDING);
      const isBuildable = (position: number): boolean => this.#plan.mayBuildOn(index.nameAt(position));
      // One without nodes is the first part, and of a fetch by somebody who has nothing.
      const has =
        part.ranks === undefined
          ? new Buildable(index, isBuildable)
          : { has: (name: Uint8Array) => hasWithoutNode(part, name) };
      this.#buildable.set(part, has);
    }
    this.#session.rest();
  }
}
