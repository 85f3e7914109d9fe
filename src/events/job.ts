/**
 * What waits on the queue. A job names a repository by its id as well as by its name: a job left over from a deleted repository
 * must not touch the one that took its name.
 *
 * @packageDocumentation
 */

/** The kinds of job that need no more than the repository. */
const PLAIN_JOBS = ["server-info", "delete-prefix", "mirror-sync"] as const;

type JobSubject = {
  /** `{tenant}/{repo}`. */
  readonly repository: string;
  readonly id: string;
};

/**
 * Work for the queue's consumer; every job may be delivered more than once and in any order. `server-info` writes the files that
 * make the prefix a bare repository; `delete-prefix` deletes everything below the prefix of a deleted repository; `deliver` sends
 * a webhook what is due; `mirror-sync` brings a mirror up to date.
 */
export type Job = JobSubject &
  ({ readonly type: (typeof PLAIN_JOBS)[number] } | { readonly type: "deliver"; readonly hook: string });

/** Reads a job from a queue message's body; `undefined` where it is none (a message of a newer or older release). */
export function parseJob(body: unknown): Job | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  if (!("type" in body && "repository" in body && "id" in body)) return undefined;
  const { repository, id } = body;
  if (typeof repository !== "string" || typeof id !== "string") return undefined;
  if (body.type === "deliver") {
    return "hook" in body && typeof body.hook === "string"
      ? { type: "deliver", repository, id, hook: body.hook }
      : undefined;
  }
  const type = PLAIN_JOBS.find((known) => known === body.type);
  return type === undefined ? undefined : { type, repository, id };
}
