/**
 * Tracks the objects that client and server have in common, and tells whether they suffice to make a pack.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), "Packfile Negotiation"; `ok_to_give_up` in git's upload-pack.c
 */
import { COMMON_KNOWN, NOTHING_COMMON, THEY_HAVE } from "../kernel/object-flags.ts";
import { TYPE_NUMBER } from "../object/object-type.ts";
import type { GraphSession } from "./graph-session.ts";

/** The common objects of one request. */
export class CommonCommits {
  readonly #session: GraphSession;
  readonly #common = new Set<number>();
  readonly #unread: number[] = [];
  #oldest = Number.POSITIVE_INFINITY;

  constructor(session: GraphSession) {
    this.#session = session;
  }

  /** Nodes of the common objects that are commits. */
  get nodes(): ReadonlySet<number> {
    return this.#common;
  }

  /** Nodes of the common objects that were not read. Nothing is known of what they refer to. */
  get unread(): readonly number[] {
    return this.#unread;
  }

  /**
   * Adds an object that both sides have, without reading it. What it refers to counts as common only if it is found
   * otherwise, so a pack may have more in it than it needs.
   */
  addUnread(node: number): void {
    if (!this.#session.has(node, THEY_HAVE)) this.#unread.push(node);
    this.#session.mark(node, THEY_HAVE);
  }

  /** Adds an object that both sides have. */
  async add(node: number): Promise<void> {
    const session = this.#session;
    const commit = await session.peel(node);
    if ((await session.typeOf(commit)) !== TYPE_NUMBER.commit) return;
    const isNew = !session.has(commit, THEY_HAVE);
    session.mark(commit, THEY_HAVE);
    await session.loadCommit(commit);
    // As in git: a client that has a commit has its parents, and a want that reaches one of those needs no more haves.
    for (const parent of session.commits.parentsOf(commit)) session.mark(parent, THEY_HAVE);
    if (isNew) this.#common.add(commit);
    this.#oldest = Math.min(this.#oldest, session.commits.timeOf(commit));
  }

  /** Whether each wanted commit reaches a common one, so that no further negotiation is needed. */
  async suffice(wants: readonly number[]): Promise<boolean> {
    if (this.#common.size === 0) return false;
    for (const want of wants) {
      const commit = await this.#session.peel(want);
      // Ancestry tells nothing about a blob or a tree.
      if ((await this.#session.typeOf(commit)) !== TYPE_NUMBER.commit) continue;
      if (!(await this.#reaches(commit))) return false;
    }
    return true;
  }

  /**
   * Whether the common commits cut off all that wanted commits reach: those before them are at most `most`, and younger than each common
   * one. Then an object that the client has, and that is older, changes nothing: it is none of these, and built on none of them.
   */
  async cutOff(wants: readonly number[], most: number): Promise<boolean> {
    const session = this.#session;
    const before = new Set<number>();
    const take = (node: number): unknown => session.has(node, THEY_HAVE) || before.add(node);
    for (const want of wants) take(await session.peel(want));
    for (const node of before) {
      if (before.size > most || (await session.typeOf(node)) !== TYPE_NUMBER.commit) return false;
      const loading = session.loadCommits([node]);
      if (loading !== undefined) await loading;
      if (session.commits.timeOf(node) <= this.#oldest) return false;
      for (const parent of session.commits.parentsOf(node)) take(parent);
    }
    return true;
  }

  /**
   * Whether a commit reaches a common one. The search is depth first, without recursion, and keeps what it learns about
   * each commit.
   */
  async #reaches(start: number): Promise<boolean> {
    const session = this.#session;
    const path: { node: number; next: number }[] = [{ node: start, next: 0 }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      if (session.has(top.node, THEY_HAVE | COMMON_KNOWN)) {
        for (const { node } of path) session.mark(node, COMMON_KNOWN);
        return true;
      }
      const loading = session.loadCommits([top.node]);
      if (loading !== undefined) await loading;
      const parents = session.commits.parentsOf(top.node);
      // As in git: a wanted commit's parents are always examined. A parent may be a commit that the client has, too.
      const tooOld = path.length > 1 && session.commits.timeOf(top.node) < this.#oldest;
      const parent = tooOld ? undefined : parents[top.next++];
      if (parent === undefined) {
        session.mark(top.node, NOTHING_COMMON);
        path.pop();
      } else if (!session.has(parent, NOTHING_COMMON)) {
        path.push({ node: parent, next: 0 });
      }
    }
    return false;
  }

  /** Forgets every "reaches nothing common", because more became common. */
  forget(): void {
    const { kernel } = this.#session;
    for (let node = 0; node < kernel.oidCount; node++) {
      if (this.#session.has(node, NOTHING_COMMON)) this.#session.unmark(node, NOTHING_COMMON);
    }
  }
}
