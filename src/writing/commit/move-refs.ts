/**
 * Creates, moves and deletes refs, and makes annotated tags.
 *
 * @packageDocumentation
 */
import { concat } from "../../bytes/chunk.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { isReachedByAny } from "../../graph/ancestry.ts";
import type { Identity } from "../../object/identity.ts";
import { TYPE_NUMBER, typeOfNumber } from "../../object/object-type.ts";
import { expandRefName } from "../../object/ref-name.ts";
import type { AnsweredOnce } from "../../refs/ref-store.ts";
import type { RefOutcome, RefRejection } from "../../refs/ref-update.ts";
import { encodeTag } from "./commit-text.ts";
import { bringKept, type Brought } from "./kept-objects.ts";
import { type WriteExchange, type WriteOrder, WriteSession } from "./write-session.ts";

const TAGS = "refs/tags/";

/** A ref that is to be moved. Names of objects are hexadecimal. */
export type RefOrder = {
  /** A full name. */
  readonly name: string;
  /** What it is to have; `null` to delete it. */
  readonly oid: string | null;
  /** What it has to have; `null` if it must not exist, `undefined` if that does not matter. */
  readonly expected?: string | null;
  /** Whether it may move other than forward. */
  readonly force: boolean;
};

/** The outcome for one ref. `previous` is what it had. */
export type RefResult = { readonly name: string; readonly previous: string | undefined } & (
  | { readonly kind: "ok" }
  | {
      readonly kind: "rejected";
      readonly why: RefRejection | { readonly kind: "not-forward"; readonly current: string };
    }
);

/** What came of all: an outcome each, or what the same request was answered before. */
export type RefsAnswer =
  | { readonly kind: "done"; readonly results: readonly RefResult[] }
  | { readonly kind: "answered"; readonly before: AnsweredOnce };

/** How a request is done once: the answer is known only with the values that refs had. */
type OnceFor<T> = { readonly key: string; readonly fingerprint: () => string; readonly answer: (made: T) => string };

/** Moves refs. With `atomic`, all move or none. */
export async function moveRefs(
  exchange: WriteExchange,
  orders: readonly RefOrder[],
  { atomic, once }: { readonly atomic: boolean; readonly once?: OnceFor<readonly RefResult[]> },
): Promise<RefsAnswer> {
  const names = orders.map(({ name }) => name);
  const { kept } = exchange;
  const session = await WriteSession.begin(exchange, {
    names,
    makesObjects: kept !== undefined,
    ...(once === undefined ? {} : { once: once.key }),
  });
  try {
    const { answered } = session.begun;
    if (answered !== undefined) return { kind: "answered", before: answered };
    const oids = orders.flatMap(({ oid }) => oid ?? []);
    const brought =
      kept === undefined
        ? new Map<string, never>()
        : await bringKept(session, { kept, memory: exchange.repository.memory }, oids);
    const refused: (RefResult | undefined)[] = [];
    // One after the other: they share the kernel.
    for (const order of orders) refused.push(await refusalOf(session, order, brought));
    return await land(session, orders, { refused, atomic, ...(once === undefined ? {} : { once }) });
  } finally {
    await session.end();
  }
}

type Landing = {
  readonly refused: readonly (RefResult | undefined)[];
  readonly atomic: boolean;
  readonly once?: OnceFor<readonly RefResult[]>;
};

async function land(
  session: WriteSession,
  orders: readonly RefOrder[],
  { refused, atomic, once }: Landing,
): Promise<RefsAnswer> {
  const running = orders.filter((_, at) => refused[at] === undefined);
  const isOff = running.length === 0 || (atomic && running.length < orders.length);
  const previousOf = (name: string): string | undefined => session.valueOf(name);
  const good = orders.map(({ name }): RefResult => ({ name, previous: previousOf(name), kind: "ok" }));
  // An answer is kept where all refs move: what was done in part is not told again as if it were all.
  const kept =
    once === undefined || running.length < orders.length
      ? {}
      : { once: { key: once.key, fingerprint: once.fingerprint(), answer: once.answer(good) } };
  const landed = isOff ? undefined : await session.land({ updates: updatesOf(session, running), atomic, ...kept });
  if (landed?.kind === "answered") return landed;
  const outcomes = (landed?.outcomes ?? []).values(); // None where nothing was tried.
  const results = orders.map(
    ({ name }, at): RefResult => refused[at] ?? resultOf(outcomes.next().value, name, previousOf(name)),
  );
  return { kind: "done", results };
}

function resultOf(outcome: RefOutcome | undefined, name: string, previous: string | undefined): RefResult {
  if (outcome === undefined) return { name, previous, kind: "rejected", why: { kind: "atomic" } };
  return { ...outcome, previous };
}

function updatesOf(session: WriteSession, orders: readonly RefOrder[]): WriteOrder["updates"] {
  const zeros = "0".repeat(session.format.hexSize);
  return orders.map(({ name, oid }) => ({
    name,
    oldOid: session.valueOf(name) ?? zeros, // A ref that does not exist.
    newOid: oid ?? zeros,
  }));
}

/** Returns why a ref is not moved, as far as that is known before the transaction. */
async function refusalOf(
  session: WriteSession,
  { name, oid, expected, force }: RefOrder,
  brought: Brought,
): Promise<RefResult | undefined> {
  const current = session.valueOf(name);
  const rejected = (why: Extract<RefResult, { kind: "rejected" }>["why"]): RefResult => ({
    name,
    previous: current,
    kind: "rejected",
    why,
  });
  if (expected !== undefined && (expected ?? undefined) !== current) {
    return rejected(current === undefined ? { kind: "missing-ref" } : { kind: "stale", current });
  }
  if (oid === null) return current === undefined ? rejected({ kind: "missing-ref" }) : undefined;
  if (fromHex(oid)?.length !== session.format.rawSize) return rejected({ kind: "missing-objects" });
  if (force || current === undefined || current === oid) return undefined;
  const isForward = !name.startsWith(TAGS) && (await isForwardMove(session, current, oid, brought));
  return isForward ? undefined : rejected({ kind: "not-forward", current });
}

/** Whether both are commits, and the new one has the old one in its history, which begins with what is brought in. */
async function isForwardMove(session: WriteSession, old: string, now: string, brought: Brought): Promise<boolean> {
  const seen = new Set([now]);
  // What is added to the set is looked at, too.
  for (const oid of seen) for (const parent of brought.get(oid) ?? []) seen.add(parent);
  if (seen.has(old)) return true;
  return await isInHistory(
    session,
    old,
    [...seen].filter((oid) => !brought.has(oid)),
  );
}

/** Whether all are commits that are here, and one of the `tips` has the old one in its history. */
async function isInHistory(session: WriteSession, old: string, tips: readonly string[]): Promise<boolean> {
  const names = [old, ...tips].flatMap((oid) => fromHex(oid) ?? []);
  const types = await session.database.typesOf(concat(names));
  if (types.indexOf(0, 1) > 0) return true; // The landing says that the object is missing.
  if (types.some((type) => type !== TYPE_NUMBER.commit)) return false;
  const graph = await session.graph();
  const [from = 0, ...nodes] = names.map((name) => graph.node(name)); // The old one comes first.
  return await isReachedByAny(graph, from, nodes);
}

/** An annotated tag that is to be made. */
export type TagOrder = {
  /** The short name. */
  readonly name: string;
  /** The name of a ref, or of an object. */
  readonly target: string;
  readonly message: string;
  readonly tagger: Identity;
  /** Whether it is only found out what would be made. */
  readonly isTrial?: boolean;
  readonly once?: OnceFor<MadeTag>;
};

/** A tag that was made. Names of objects are hexadecimal. */
export type MadeTag = { readonly oid: string; readonly target: string; readonly type: string };

/** What came of it. */
export type TagAnswer =
  | ({ readonly kind: "made" } & MadeTag)
  | { readonly kind: "answered"; readonly before: AnsweredOnce }
  | { readonly kind: "no-target" }
  | { readonly kind: "refused"; readonly why: RefRejection };

/** Makes an annotated tag, and a ref for it. */
export async function makeTag(exchange: WriteExchange, order: TagOrder): Promise<TagAnswer> {
  const { target, once } = order;
  const session = await WriteSession.begin(exchange, {
    names: [TAGS + order.name, ...expandRefName(target)],
    makesObjects: true,
    ...(once === undefined ? {} : { once: once.key }),
  });
  try {
    const { answered } = session.begun;
    if (answered !== undefined) return { kind: "answered", before: answered };
    return await tag(session, order);
  } finally {
    await session.end();
  }
}

async function tag(
  session: WriteSession,
  { name, target, message, tagger, once, isTrial = false }: TagOrder,
): Promise<TagAnswer> {
  const ref = expandRefName(target).find((full) => session.valueOf(full) !== undefined);
  const object = fromHex((ref === undefined ? undefined : session.valueOf(ref)) ?? target);
  if (object?.length !== session.format.rawSize) return { kind: "no-target" };
  const [number = 0] = await session.database.typesOf(object); // One name, one type.
  const type = typeOfNumber(number);
  if (type === undefined) return { kind: "no-target" };
  const text = encodeTag({ object: toHex(object), type, name, tagger, message });
  const oid = toHex(await session.addTag(text));
  const made = { oid, target: toHex(object), type };
  const kept =
    once === undefined || isTrial
      ? {}
      : { once: { key: once.key, fingerprint: once.fingerprint(), answer: once.answer(made) } };
  const update = { name: TAGS + name, oldOid: "0".repeat(session.format.hexSize), newOid: oid };
  const landed = await session.land({ updates: [update], atomic: true, isTrial, ...kept });
  if (landed.kind === "answered") return landed;
  const [outcome] = landed.outcomes;
  return outcome?.kind === "rejected" ? { kind: "refused", why: outcome.why } : { kind: "made", ...made };
}
