/**
 * The common parts of all routes that show a repository's content: opening the repository for its
 * reader, and answering with a stream that closes it.
 *
 * @packageDocumentation
 */
import type { RepositoryName } from "../access/names.ts";
import { BrowseSession, type Unanswered } from "../browse/browse-session.ts";
import { refNamesIn } from "../browse/revision.ts";
import type { RevisionSyntax } from "../browse/revision-syntax.ts";
import type { ByteSink } from "../bytes/byte-stream.ts";
import { ClientTooSlow, HostBusy } from "../bytes/failure.ts";
import { type StreamedAnswer, streamedResponse } from "./body.ts";
import { authorize } from "./denied.ts";
import type { Host } from "./host.ts";
import { logFault } from "./log.ts";
import { Problem } from "./problem.ts";

const STATUSES = { missing: 404, ambiguous: 409, wrong: 422 } as const;

/**
 * Opens a repository for a caller that may read it, with the refs that the revisions may name, and those that begin
 * with one of `refPrefixes`. The caller has to close the session.
 *
 * @throws AccessDenied, Problem
 */
export async function openContent(
  host: Host,
  name: RepositoryName,
  revisions: readonly RevisionSyntax[],
  refPrefixes?: readonly string[],
): Promise<BrowseSession> {
  const repository = host.repository(name);
  const answer = await repository.refs.open({
    packs: true,
    refNames: refNamesIn(revisions),
    ...(refPrefixes === undefined ? {} : { refPrefixes }),
  });
  await authorize(host, "read", name, answer.kind === "found" ? answer.record : undefined);
  if (answer.kind === "missing") throw new Problem(404, "There is no such repository.");
  return await BrowseSession.open(repository, answer);
}

/**
 * Returns the found answer.
 *
 * @throws Problem if nothing was found.
 */
export function found<T extends { readonly kind: "found" }>(answer: T | Unanswered): T {
  if (answer.kind === "found") return answer;
  throw new Problem(STATUSES[answer.kind], answer.detail);
}

/**
 * Returns how a repository's content may be cached: it is revalidated each time, and only kept by a client that may
 * read it.
 */
export function cacheControl(session: BrowseSession): string {
  return session.answer.record.visibility === "public" ? "public, no-cache" : "private, no-cache";
}

/** Whether a client says that it has the entity with this tag. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
}

/** Runs `work` on a session that it passes to {@link streamContent}, and closes the session if that does not happen. */
export async function withSession<T>(session: BrowseSession, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    session.close();
    throw error;
  }
}

/** Answers with a stream, and closes the session when it ends. */
export async function streamContent(
  host: Host,
  session: BrowseSession,
  answer: Pick<StreamedAnswer, "headers" | "status" | "length" | "bodiless">,
  serve: (output: ByteSink) => Promise<void>,
): Promise<Response> {
  let isGone = false;
  return await streamedResponse(
    {
      ...answer,
      memory: session.repository.memory,
      traffic: host.traffic,
      onGone: () => {
        isGone = true;
      },
      // A failure because the client has gone, or for lack of room, is no fault of ours.
      onFault: (error) => {
        const isFault = !(error instanceof ClientTooSlow || error instanceof HostBusy);
        if (!isGone && isFault) logFault("content", error);
      },
      until: (work) => host.until(work),
    },
    async (output) => {
      try {
        await serve({
          write: async (bytes) => {
            await output.write(bytes);
            await session.awake();
          },
        });
      } finally {
        session.close();
      }
    },
  );
}
