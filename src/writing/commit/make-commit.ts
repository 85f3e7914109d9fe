/**
 * Makes one commit of changes to files, and moves a branch to it.
 *
 * @packageDocumentation
 */
import { present } from "../../bytes/assert.ts";
import { FsckRejected } from "../../bytes/failure.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { CommitLinks } from "../../object/commit.ts";
import type { Identity } from "../../object/identity.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import { expandRefName } from "../../object/ref-name.ts";
import { isZeroOid } from "../../refs/ref-plan.ts";
import type { AnsweredOnce } from "../../refs/ref-store.ts";
import type { RefRejection } from "../../refs/ref-update.ts";
import { encodeCommit } from "./commit-text.ts";
import type { Patch } from "../../diff/parse-patch.ts";
import type { FileAction, RefusedAction } from "./file-action.ts";
import { NewObjects } from "./new-objects.ts";
import { type PatchSources, patchActions, pathsOf, type RefusedPatch } from "./patch-actions.ts";
import { PreparedActions } from "./prepared-actions.ts";
import { TreeEdit } from "./tree-edit.ts";
import { type WriteExchange, WriteSession } from "./write-session.ts";

/** Tries of a caller that does not say where the branch has to be, while others move it. */
const MOST_TRIES = 6;

/** A commit that was made, or would be. Names are hexadecimal. */
export type MadeCommit = {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  /** The full name of the branch. */
  readonly branch: string;
  /** Where the branch was before; `null` if it is new. */
  readonly previous: string | null;
};

/** How a request is done once: its key, its fingerprint when it was read whole, and the answer that is kept. */
export type Once = {
  readonly key: string;
  readonly fingerprint: () => string;
  readonly answer: (made: MadeCommit) => string;
};

/** What is to be committed. */
export type CommitOrder = {
  /** The full name of the branch. */
  readonly branch: string;
  /** Where the branch has to be; `null` if it must not exist. */
  readonly expectedHead?: string | null;
  /** Where a new branch begins: the name of a ref, or of a commit. */
  readonly base?: string;
  readonly message: string;
  readonly author: Identity;
  readonly committer: Identity;
  /** Whether a commit that changes no file is made. */
  readonly allowEmpty: boolean;
  readonly isTrial: boolean;
  readonly once?: Once;
  /** Reads what changes. It is called once. */
  readonly read: (contents: NewObjects, rawSize: number) => Promise<Changes | RefusedAction>;
};

/** What changes: actions, or a patch, of which it depends on the files what is to be done. */
type Changes = PreparedActions | { readonly patch: Patch };

/** What came of it. */
export type CommitAnswer =
  | ({ readonly kind: "made" } & MadeCommit)
  | { readonly kind: "answered"; readonly answer: string }
  /** The key of the request was used for another one. */
  | { readonly kind: "other-request" }
  /** The branch is elsewhere. */
  | { readonly kind: "stale"; readonly current: string | undefined }
  | { readonly kind: "no-branch" | "no-base" | "nothing-changed" }
  | { readonly kind: "refused-action"; readonly action: RefusedAction }
  | { readonly kind: "refused-patch"; readonly patch: RefusedPatch }
  | { readonly kind: "refused"; readonly why: RefRejection };

/** The commit on which changes are made: both names are raw. */
type Parent = { readonly oid: string; readonly tree: Uint8Array };

/** Makes the commit. Nothing is stored unless the answer is `made` (and it was no trial). */
export async function makeCommit(exchange: WriteExchange, order: CommitOrder): Promise<CommitAnswer> {
  const made = new CommitMaking(exchange, order);
  try {
    for (let tries = 1; ; tries++) {
      const answer = await made.attempt();
      const mayTryAgain = answer.kind === "stale" && order.expectedHead === undefined && order.base === undefined;
      if (!mayTryAgain || tries === MOST_TRIES) return answer;
    }
  } finally {
    made.free();
  }
}

class CommitMaking {
  readonly #exchange: WriteExchange;
  readonly #order: CommitOrder;
  #contents: NewObjects | undefined;
  #prepared: Changes | undefined;

  constructor(exchange: WriteExchange, order: CommitOrder) {
    this.#exchange = exchange;
    this.#order = order;
  }

  free(): void {
    this.#contents?.free();
  }

  async attempt(): Promise<CommitAnswer> {
    const { branch, base, once } = this.#order;
    const session = await WriteSession.begin(this.#exchange, {
      names: [branch, ...(base === undefined ? [] : expandRefName(base))],
      makesObjects: true,
      ...(once === undefined ? {} : { once: once.key }),
    });
    try {
      return await this.#commit(session);
    } catch (error) {
      if (!(error instanceof FsckRejected)) throw error;
      const index = this.#prepared instanceof PreparedActions ? this.#prepared.indexOf(error.oid) : -1;
      if (index < 0) throw error;
      return { kind: "refused-action", action: { index, member: "content", detail: error.message } };
    } finally {
      await session.end();
    }
  }

  /** Reads the actions at the first try. Returns the action that is wrong in itself, if there is one. */
  async #prepare(session: WriteSession): Promise<Changes | RefusedAction> {
    if (this.#prepared !== undefined) return this.#prepared;
    this.#contents = new NewObjects(this.#exchange.repository, session.format);
    const prepared = await this.#order.read(this.#contents, session.format.rawSize);
    if (!("index" in prepared)) this.#prepared = prepared;
    return prepared;
  }

  async #commit(session: WriteSession): Promise<CommitAnswer> {
    const prepared = await this.#prepare(session);
    if ("index" in prepared) return { kind: "refused-action", action: prepared };
    const { once } = this.#order;
    const { answered } = session.begun;
    if (once !== undefined && answered !== undefined) return repeated(answered, once);
    const missing =
      prepared instanceof PreparedActions
        ? await prepared.findMissing(session.database, this.#exchange.kept)
        : undefined;
    if (missing !== undefined) return { kind: "refused-action", action: missing };
    const parent = await this.#parent(session);
    if (parent !== undefined && "kind" in parent) return parent;
    return await this.#write(session, prepared, parent);
  }

  /** Finds the commit on which the changes are made; `undefined` if there is none yet. */
  async #parent(session: WriteSession): Promise<Parent | CommitAnswer | undefined> {
    const { branch, expectedHead, base } = this.#order;
    const head = session.valueOf(branch);
    if (expectedHead !== undefined && (expectedHead ?? undefined) !== head) return { kind: "stale", current: head };
    if (base === undefined) {
      if (head !== undefined) return await parentOf(session, head);
      const isFirst = session.begun.packs.length === 0 || expectedHead === null;
      return isFirst ? undefined : { kind: "no-branch" };
    }
    const named = await resolveBase(session, base);
    if (named === undefined) return { kind: "no-base" };
    if (head !== undefined && named !== head) return { kind: "stale", current: head };
    return await parentOf(session, named);
  }

  async #write(session: WriteSession, prepared: Changes, parent: Parent | undefined): Promise<CommitAnswer> {
    const { message, author, committer, allowEmpty } = this.#order;
    const tree = await this.#writeTree(session, prepared, parent?.tree);
    if ("kind" in tree) return tree;
    if (!allowEmpty && parent !== undefined && toHex(parent.tree) === toHex(tree)) return { kind: "nothing-changed" };
    const parents = parent === undefined ? [] : [parent.oid];
    const text = encodeCommit({ tree: toHex(tree), parents, author, committer, message });
    const oid = toHex(await session.addCommit(text));
    return await this.#land(session, { oid, tree: toHex(tree), parents });
  }

  async #writeTree(
    session: WriteSession,
    prepared: Changes,
    tree: Uint8Array | undefined,
  ): Promise<Uint8Array | CommitAnswer> {
    const { pacer, memory } = this.#exchange.repository;
    const graph = await session.graph();
    const { reader } = graph;
    const pace = async (steps: number): Promise<void> => {
      pacer.add(steps);
      if (pacer.isDue) await pacer.pace();
    };
    const { rawSize } = session.format;
    const paths = "patch" in prepared ? pathsOf(prepared.patch.files) : prepared.paths;
    const edit = await TreeEdit.open({ reader, rawSize, memory, pace }, tree, paths);
    try {
      const objects = present(this.#contents, "the contents");
      const actions = await actionsOf(prepared, { edit, graph, objects, memory, pace });
      if ("index" in actions) return { kind: "refused-patch", patch: actions };
      const refused = await edit.apply(actions);
      if (refused !== undefined) return refusedIn(prepared, refused, actions);
      for await (const oid of edit.writtenObjects()) session.objects.takeFrom(objects, oid);
      return await edit.write(session.objects);
    } finally {
      edit.free();
    }
  }

  async #land(session: WriteSession, commit: Omit<MadeCommit, "branch" | "previous">): Promise<CommitAnswer> {
    const { branch, isTrial, once } = this.#order;
    const previous = session.valueOf(branch) ?? null;
    const made = { ...commit, branch, previous };
    const oldOid = previous ?? "0".repeat(session.format.hexSize);
    const kept =
      once === undefined || isTrial
        ? {}
        : { once: { key: once.key, fingerprint: once.fingerprint(), answer: once.answer(made) } };
    const landed = await session.land({
      updates: [{ name: branch, oldOid, newOid: commit.oid }],
      atomic: true,
      isTrial,
      ...kept,
    });
    if (landed.kind === "answered") {
      return once === undefined ? { kind: "other-request" } : repeated(landed.before, once);
    }
    const [outcome] = landed.outcomes;
    if (outcome === undefined || outcome.kind === "ok") return { kind: "made", ...made };
    return refusal(outcome.why);
  }
}

async function actionsOf(prepared: Changes, sources: PatchSources): Promise<readonly FileAction[] | RefusedPatch> {
  return "patch" in prepared ? await patchActions(prepared.patch, sources) : prepared.actions;
}

/** Returns the refusal of an action. Those of a patch are no actions of the caller's: the file is named. */
function refusedIn(prepared: Changes, refused: RefusedAction, actions: readonly FileAction[]): CommitAnswer {
  if (!("patch" in prepared)) return { kind: "refused-action", action: refused };
  const path = actions[refused.index]?.path ?? ""; // The action is one of them.
  const index = prepared.patch.files.findIndex(({ oldPath, newPath }) => oldPath === path || newPath === path);
  const line = prepared.patch.files[index]?.line ?? 0; // The file is one of them.
  return { kind: "refused-patch", patch: { index, path, line, detail: refused.detail } };
}

function repeated({ fingerprint, answer }: AnsweredOnce, once: Once): CommitAnswer {
  return fingerprint === once.fingerprint() ? { kind: "answered", answer } : { kind: "other-request" };
}

function refusal(why: RefRejection): CommitAnswer {
  switch (why.kind) {
    case "stale":
    case "exists":
      return { kind: "stale", current: why.current };
    case "missing-ref":
      return { kind: "stale", current: undefined };
    default:
      return { kind: "refused", why };
  }
}

async function parentOf(session: WriteSession, oid: string): Promise<Parent> {
  const { reader } = await session.graph();
  const { bytes } = await reader.readCopy(fromHex(oid) ?? new Uint8Array(0)); // A ref's value is a name.
  const links = new CommitLinks(session.format);
  links.read(bytes, 0, bytes.length);
  return { oid, tree: links.nameOf(0).slice() };
}

/** Resolves the name of a ref or of a commit to a commit, in hexadecimal. */
async function resolveBase(session: WriteSession, base: string): Promise<string | undefined> {
  const ref = expandRefName(base).find((name) => session.valueOf(name) !== undefined);
  const named = ref === undefined ? base : session.valueOf(ref);
  const oid = named === undefined || isZeroOid(named) ? undefined : fromHex(named);
  if (oid?.length !== session.format.rawSize) return undefined;
  const [type] = await session.database.typesOf(oid);
  if (type !== TYPE_NUMBER.commit && type !== TYPE_NUMBER.tag) return undefined;
  const graph = await session.graph();
  const peeled = await graph.peel(graph.node(oid));
  return (await graph.typeOf(peeled)) === TYPE_NUMBER.commit ? toHex(graph.nameOf(peeled)) : undefined;
}
