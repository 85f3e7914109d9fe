/**
 * A session of walks that has a kernel of its own, for a question that comes up beside a request's own session: the
 * flags that walks leave would disturb each other.
 *
 * @packageDocumentation
 */
import { GraphSession } from "../graph/graph-session.ts";
import type { ObjectDatabase } from "../store/object-database.ts";
import type { Repository } from "./repository.ts";

/** Runs walks over these objects in a session and a kernel of their own, and gives both back. @throws HostBusy */
export async function inOwnSession<T>(
  { kernels }: Pick<Repository, "kernels">,
  database: ObjectDatabase,
  walk: (session: GraphSession) => Promise<T>,
): Promise<T> {
  const kernel = await kernels.lend(database.context.format.rawSize);
  const session = new GraphSession(database, kernel);
  try {
    return await walk(session);
  } finally {
    session.close();
    kernels.giveBack(kernel);
  }
}
