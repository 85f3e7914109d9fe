/**
 * Applies a mirror's policy to history that the upstream rewrites or drops: see `MirrorPolicy`.
 *
 * @packageDocumentation
 */
import { fromHex, toHex } from "../bytes/hex.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { movesForward } from "../graph/forward-move.ts";
import { GraphSession } from "../graph/graph-session.ts";
import type { MirrorPolicy } from "../refs/mirror-store.ts";
import { isZeroOid } from "../refs/ref-plan.ts";
import type { RefUpdate } from "../refs/ref-update.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import type { RefDifference } from "./ref-comparison.ts";
import { KEPT } from "./refspec.ts";
import { UpstreamFailure } from "./upstream.ts";

/** The most names that a failure lists. */
const MOST_NAMES = 5;

/** The input of the policy. */
export type PolicyInput = {
  readonly policy: MirrorPolicy;
  readonly updates: readonly RefUpdate[];
  readonly differences: readonly RefDifference[];
  /** Opens the objects that were there and those of the new pack together. */
  readonly openAll: () => ObjectDatabase;
  /** Returns a kernel that nothing else needs any more. */
  readonly kernel: () => Promise<Kernel>;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

/**
 * Returns the updates that the policy lets through, with those that it adds.
 *
 * @throws UpstreamFailure if it lets none through.
 */
export async function applyPolicy(input: PolicyInput): Promise<readonly RefUpdate[]> {
  const { policy, updates, now } = input;
  if (policy === "follow") return updates;
  const rewritten = await findRewritten(input);
  if (rewritten.length === 0) return updates;
  if (policy === "stop") {
    const names = rewritten.slice(0, MOST_NAMES).map(({ name }) => name);
    const more = rewritten.length > names.length ? ` and ${rewritten.length - names.length} more` : "";
    throw new UpstreamFailure(
      `The upstream has rewritten or dropped ${names.join(", ")}${more}, and the mirror is to stop then.`,
    );
  }
  // The time is precise to the millisecond, so that two syncs in one second each keep what they drop.
  const stamp = new Date(now).toISOString().replaceAll(/[-:.]/g, "");
  const peeled = new Map(input.differences.map(({ name, oursPeeled }) => [name, oursPeeled] as const));
  const kept = rewritten.map(({ name, oldOid }): RefUpdate => {
    const names = peeled.get(name);
    return {
      name: `${KEPT}${stamp}/${name.slice("refs/".length)}`,
      oldOid: "0".repeat(oldOid.length),
      newOid: oldOid,
      forward: true,
      ...(names === undefined ? {} : { peeled: toHex(names) }),
    };
  });
  return [...updates, ...kept];
}

/**
 * Returns the updates that take history away from a ref: deletions, tags that move, branches that don't move forward.
 */
async function findRewritten({ updates, openAll, kernel }: PolicyInput): Promise<RefUpdate[]> {
  const isDoubtful = ({ oldOid, newOid, forward, name }: RefUpdate): boolean =>
    !forward && !isZeroOid(oldOid) && !isZeroOid(newOid) && !name.startsWith("refs/tags/");
  const doubtful = updates.filter(isDoubtful);
  const certain = updates.filter((update) => !update.forward && !isZeroOid(update.oldOid) && !isDoubtful(update));
  if (doubtful.length === 0) return certain;
  const lent = await kernel();
  lent.reset();
  const session = new GraphSession(openAll(), lent);
  try {
    for (const update of doubtful) {
      if (!(await isForward(session, update))) certain.push(update);
    }
  } finally {
    session.leaveGraph();
  }
  return certain;
}

async function isForward(session: GraphSession, { oldOid, newOid }: RefUpdate): Promise<boolean> {
  const [from, to] = [fromHex(oldOid), fromHex(newOid)];
  return from !== undefined && to !== undefined && (await movesForward(session, { from, to }));
}
