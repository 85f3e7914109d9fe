/**
 * Collects the commits of a layer of the commit-graph: those that refs reach and no layer has, parents first.
 *
 * A walk that goes to parents first has to hold the whole line from a ref to its first commit. Where that is too much, it lets go of what it holds,
 * but for some commits on its way, and begins anew at the oldest commit that it came to. What this one reaches is all that the layer gets, and then
 * what is reached by the remembered commits, the oldest first. So a line of any length is collected from its end on, layer by layer, and the way that is
 * left is where the next step begins.
 *
 * @packageDocumentation
 */
import { itemAt, u32At, u8OrNul } from "../bytes/assert.ts";
import { concat, equal } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { Graphing } from "./graphing.ts";

/** What the passes of a step share. */
export type StepState = {
  /** The raw names of commits from which the step goes on before it comes to refs, the last one first. */
  way: Uint8Array[];
  /** The commits that all passes have read. */
  read: number;
  /** Names, in hexadecimal, of commits that no layer has, though their names begin like one that some layer has. */
  readonly alike: Set<string>;
  /** The passes that found a commit in no layer, though its name begins like one that some layer has. */
  misled: number;
};

/**
 * How a pass ended. `all`: everything is collected. `some`: the rest is for other steps. `again`: another pass is to begin where this one ended. `too much`: a
 * single commit has more parents than a step can hold.
 */
export type Collected = "all" | "some" | "again" | "too much";

/** What a collection needs. */
export type CollectionInput = {
  readonly session: GraphSession;
  readonly state: StepState;
  readonly bounds: Graphing;
  /** The bytes that the step holds beside what it walks. */
  readonly heldBytes: number;
  /** Whether a layer may have the commit of this raw name. */
  readonly isBelow: (name: Uint8Array) => boolean;
};

/** The steps charged for a commit that is collected. */
const COMMIT_STEPS = 100;

/** One pass of a step. */
export class GraphCollection {
  /** The commits, parents first: each has all that it reaches before it, or below. */
  readonly nodes: number[] = [];
  /** The commits of refs that seem to be in a layer, since their names begin like one there. */
  readonly seen: number[] = [];
  readonly #input: CollectionInput;
  /** By node: whether it is in `nodes`. */
  #listed = new Uint8Array(4096);

  constructor(input: CollectionInput) {
    this.#input = input;
  }

  /** Collects what the way and then `tips` reach. `tips` are the raw values of refs. */
  async run(tips: Iterable<Uint8Array>): Promise<Collected> {
    const { session, state } = this.#input;
    const begin = state.way.at(-1);
    await this.#dropUnknown();
    for (let name = state.way.pop(); name !== undefined; name = state.way.pop())
      if (!(await this.#addReached(session.node(name)))) return this.#ended(begin);
    const nodes = new Set<number>();
    for (const tip of tips) nodes.add(session.node(tip));
    await session.learnTypes([...nodes]);
    for (const node of nodes) {
      const commit = await session.peel(node);
      if ((await session.typeOf(commit)) !== TYPE_NUMBER.commit) continue;
      if (u8OrNul(this.#listed, commit) === 0 && this.#isListed(commit)) this.seen.push(commit);
      else if (!(await this.#addReached(commit))) return this.#ended(begin);
    }
    return "all";
  }

  /** Leaves out of the way what has left the catalog since it was noted. */
  async #dropUnknown(): Promise<void> {
    const { session, state } = this.#input;
    if (state.way.length === 0) return;
    const types = await session.database.typesOf(concat(state.way));
    state.way = state.way.filter((_, i) => types[i] === TYPE_NUMBER.commit);
  }

  /** Returns how a pass ended for which there was no more room. It began at the commit of the name `begin`, if not at refs. */
  #ended(begin: Uint8Array | undefined): Collected {
    const { state, bounds } = this.#input;
    if (this.nodes.length >= bounds.leastCommits) return "some";
    const next = state.way.at(-1);
    const isStuck = begin !== undefined && next !== undefined && equal(begin, next);
    if (isStuck) return this.nodes.length > 0 ? "some" : "too much";
    if (state.read < bounds.mostRead) return "again";
    // A layer of few commits is not worth its file: the next step comes to them again.
    this.nodes.length = 0;
    return "some";
  }

  /** Adds what a commit reaches. Returns false if that is too much; then the way to where it came is in the state. */
  async #addReached(start: number): Promise<boolean> {
    const path = [start];
    /** Of each commit on the path, how many of its parents are listed: hostile ones have very many. */
    const opened = [0];
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      if (!this.#hasRoomFor(path.length)) {
        this.#remember(path);
        return false;
      }
      const open = this.#isListed(node) ? -1 : await this.#openParent(node, opened);
      if (open >= 0) {
        path.push(open);
        opened.push(0);
        continue;
      }
      if (!this.#isListed(node)) this.#list(node);
      path.pop();
      opened.pop();
    }
    return true;
  }

  /** Notes some commits of a path that can't be held, and its last one. */
  #remember(path: readonly number[]): void {
    const { session, state, bounds } = this.#input;
    for (let at = 0; at < path.length - 1; at += bounds.spacing) state.way.push(session.nameOf(itemAt(path, at)));
    state.way.push(session.nameOf(itemAt(path, path.length - 1)));
    // The refs reach what is forgotten, too.
    if (state.way.length > bounds.mostWay) state.way = state.way.slice(-bounds.mostWay);
  }

  /** Returns the next parent that is not listed; -1 if all are. The last of `opened` is of this commit. */
  async #openParent(node: number, opened: number[]): Promise<number> {
    const { session, state } = this.#input;
    const { pacer } = session.database.context;
    if (!session.commits.has(node)) state.read++;
    await session.loadCommit(node);
    const parents = session.commits.parentsOf(node);
    const last = opened.length - 1;
    let at = itemAt(opened, last);
    while (at < parents.length && this.#isListed(u32At(parents, at))) at++;
    pacer.add(COMMIT_STEPS * (1 + at - itemAt(opened, last)));
    opened[last] = at;
    const open = at < parents.length ? u32At(parents, at) : -1;
    if (pacer.isDue) await pacer.pace();
    return open;
  }

  #list(node: number): void {
    if (node >= this.#listed.length) {
      const grown = new Uint8Array(Math.max(node + 1, this.#listed.length * 2));
      grown.set(this.#listed);
      this.#listed = grown;
    }
    this.#listed[node] = 1;
    this.nodes.push(node);
  }

  /** Whether a commit is in a layer, or is going to be. */
  #isListed(node: number): boolean {
    if (u8OrNul(this.#listed, node) === 1) return true;
    const { session, state, isBelow } = this.#input;
    const name = session.nameOf(node);
    return isBelow(name) && !(state.alike.size > 0 && state.alike.has(toHex(name)));
  }

  /** Whether one more commit may be collected while `waiting` of them wait for those that they reach. */
  #hasRoomFor(waiting: number): boolean {
    const { session, state, bounds, heldBytes } = this.#input;
    const collected = this.nodes.length + 1;
    const walked = collected + waiting;
    if (state.read >= bounds.mostRead || collected > bounds.mostCommits || walked > bounds.mostWalked) return false;
    const names = session.kernel.oidCount * (session.format.rawSize + bounds.nameBytes);
    return heldBytes + names + walked * bounds.rowBytes + collected * bounds.collectedBytes <= bounds.stepBytes;
  }
}
