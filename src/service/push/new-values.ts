/**
 * Checks the objects to which a push wants to move refs. It finds out whether they are present and whether a ref of
 * that name may have them. It also finds what tags finally name, and whether a ref moves forward.
 *
 * @packageDocumentation
 * @see builtin/receive-pack.c, refs.c `ref_transaction_update()`
 */
import { itemAt } from "../../bytes/assert.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { movesForward, movesForwardInPack } from "../../graph/forward-move.ts";
import { GraphSession } from "../../graph/graph-session.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import { mindsForcePush, type RefRule } from "../../refs/ref-policy.ts";
import { isZeroOid } from "../../refs/ref-plan.ts";
import type { RefRejection } from "../../refs/ref-update.ts";
import type { IngestedPack } from "../../store/ingest/ingest-pack.ts";
import type { ObjectDatabase } from "../../store/object-database.ts";
import { findTipTypes, peelTips, type TipValue } from "../../graph/tip-values.ts";
import type { PushVerdict } from "./push-verdict.ts";

/** The places where the new values of a push are looked up, and the bounds of the search. */
export type NewValueSources = {
  readonly format: ObjectFormat;
  /** The pack that the push brought; `undefined` if it brought no object. */
  readonly pack: IngestedPack | undefined;
  /** The rejection for a value that is neither in the pack nor in the catalog. */
  readonly absent: RefRejection;
  readonly database: ObjectDatabase;
  /** Opens the objects that were there before and those of the pack together. */
  readonly openAll: () => ObjectDatabase;
  /**
   * Returns the push's kernel; the first call prepares it. The pack needs the kernel until its own objects have been
   * checked.
   */
  readonly kernel: () => Promise<Kernel>;
  /** The most commits of the pack that are read to find out whether a ref moves forward. */
  readonly mostCommits: number;
  /** If one of these rules minds a forced push, the exact answer is found at any cost. */
  readonly rules: readonly RefRule[];
};

const BRANCHES = "refs/heads/";

type NewValue = TipValue & { readonly index: number };

/** Refuses updates whose new value is missing or of the wrong type, and completes the others. */
export async function checkNewValues(verdict: PushVerdict, sources: NewValueSources): Promise<void> {
  const values = newValuesOf(verdict);
  await findTipTypes(values, sources);
  const kept = values.filter((value) => isAllowed(value, verdict, sources.absent));
  // Objects of the pack come first: reading stored objects takes over the kernel's memory.
  for (const value of kept) await checkForward(value, verdict, sources);
  await peelTips(kept, sources);
  for (const { index, peeled } of kept) {
    const forward = verdict.updates[index]?.forward ?? false;
    if (peeled !== undefined) verdict.learn(index, { forward, peeled: toHex(peeled) });
  }
  await settleForward(kept, verdict, sources);
}

function newValuesOf(verdict: PushVerdict): NewValue[] {
  return verdict.running.flatMap((index) => {
    const { newOid = "" } = verdict.updates[index] ?? {};
    const oid = isZeroOid(newOid) ? undefined : fromHex(newOid);
    return oid === undefined ? [] : [{ index, oid, type: 0 }];
  });
}

function isAllowed({ index, type }: NewValue, verdict: PushVerdict, absent: RefRejection): boolean {
  // An object of the catalog has everything that it refers to there, so its presence is enough.
  if (type === 0) {
    verdict.reject(index, absent);
    return false;
  }
  if (type !== TYPE_NUMBER.commit && verdict.updates[index]?.name.startsWith(BRANCHES) === true) {
    verdict.reject(index, { kind: "wrong-type" });
    return false;
  }
  return true;
}

async function checkForward(
  { index, oid, type }: NewValue,
  verdict: PushVerdict,
  sources: NewValueSources,
): Promise<void> {
  const update = verdict.updates[index];
  const { pack, format, mostCommits } = sources;
  if (update === undefined || update.forward || pack === undefined || type !== TYPE_NUMBER.commit) return;
  const old = fromHex(update.oldOid);
  if (old === undefined) return;
  verdict.learn(index, { forward: await movesForwardInPack({ from: old, to: oid }, pack, format, mostCommits) });
}

/**
 * Finds out exactly whether a ref moves forward, for the refs that a rule lets move in no other way. It takes over the
 * kernel, so the pack can't be read afterwards.
 */
async function settleForward(
  values: readonly NewValue[],
  verdict: PushVerdict,
  { rules, kernel, openAll }: NewValueSources,
): Promise<void> {
  const doubtful = values.filter(({ index, type }) => {
    const update = verdict.updates[index];
    if (update === undefined || update.forward || type !== TYPE_NUMBER.commit) return false;
    return mindsForcePush(rules, update.name);
  });
  if (doubtful.length === 0) return;
  const lent = await kernel();
  lent.reset();
  const session = new GraphSession(openAll(), lent);
  try {
    for (const { index, oid } of doubtful) {
      const old = fromHex(itemAt(verdict.updates, index).oldOid);
      if (old === undefined) continue;
      verdict.learn(index, { forward: await movesForward(session, { from: old, to: oid }) });
    }
  } finally {
    session.leaveGraph();
  }
}
