/**
 * The objects that the new values of a push are looked up in.
 *
 * @packageDocumentation
 */
import { GraphSession } from "../../graph/graph-session.ts";
import type { TipSources } from "../../graph/tip-values.ts";
import type { ObjectDatabase } from "../../store/object-database.ts";

/**
 * The pack of a push, what was there before it, and the push's kernel. The first call for the kernel prepares it; the pack
 * needs it until its own objects have been checked.
 */
export type PushSources = TipSources & {
  /** Opens the objects that were there before and those of the pack together. */
  readonly openAll: () => ObjectDatabase;
};

/** Runs walks over all objects. They take over the kernel, so that the pack can't be read afterwards. */
export async function inPushSession<T>(
  { kernel, openAll }: Pick<PushSources, "kernel" | "openAll">,
  walk: (session: GraphSession) => Promise<T>,
): Promise<T> {
  const lent = await kernel();
  lent.reset();
  const session = new GraphSession(openAll(), lent);
  try {
    return await walk(session);
  } finally {
    session.leaveGraph();
  }
}
