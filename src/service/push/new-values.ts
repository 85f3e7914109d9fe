/**
 * Checks the objects to which a push wants to move refs. It finds out whether they are present and whether a ref of
 * that name may have them. It also finds what tags finally name, and whether a ref moves forward.
 *
 * @packageDocumentation
 * @see builtin/receive-pack.c, refs.c `ref_transaction_update()`
 */
import { itemAt } from "../../bytes/assert.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { movesForward, movesForwardInPack } from "../../graph/forward-move.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import { mindsForcePush, type RefRule, ruleSteps } from "../../refs/ref-policy.ts";
import { isZeroOid } from "../../refs/ref-plan.ts";
import type { RefRejection } from "../../refs/ref-update.ts";
import { findTipTypes, peelTips, type TipValue } from "../../graph/tip-values.ts";
import { inPushSession, type PushSources } from "./push-sources.ts";
import type { PushVerdict } from "./push-verdict.ts";

/** The places where the new values of a push are looked up, and the bounds of the search. */
export type NewValueSources = PushSources & {
  /** The rejection for a value that is neither in the pack nor in the catalog. */
  readonly absent: RefRejection;
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
  sources: NewValueSources,
): Promise<void> {
  const { pacer } = sources.database.context;
  const stepsOf = ruleSteps(sources.rules);
  const doubtful: NewValue[] = [];
  for (const value of values) {
    const update = verdict.updates[value.index];
    if (update === undefined || update.forward || value.type !== TYPE_NUMBER.commit) continue;
    if (mindsForcePush(sources.rules, update.name)) doubtful.push(value);
    pacer.add(stepsOf(update.name));
    if (pacer.isDue) await pacer.pace();
  }
  if (doubtful.length === 0) return;
  await inPushSession(sources, async (session) => {
    for (const { index, oid } of doubtful) {
      const old = fromHex(itemAt(verdict.updates, index).oldOid);
      if (old === undefined) continue;
      verdict.learn(index, { forward: await movesForward(session, { from: old, to: oid }) });
    }
  });
}
