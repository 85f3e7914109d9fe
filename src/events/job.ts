/**
 * What waits on the queue. A job names a repository by its id as well as by its name: a job left over from a deleted repository
 * must not touch the one that took its name.
 *
 * @packageDocumentation
 */

/** The kinds of job. */
const JOB_TYPES = ["server-info", "delete-prefix"] as const;

/**
 * Work for the queue's consumer; every job may be delivered more than once and in any order. `server-info` writes the files that
 * make the prefix a bare repository; `delete-prefix` deletes everything below the prefix of a deleted repository.
 */
export type Job = {
  readonly type: (typeof JOB_TYPES)[number];
  /** `{tenant}/{repo}`. */
  readonly repository: string;
  readonly id: string;
};

/** Reads a job from a queue message's body; `undefined` where it is none (a message of a newer or older release). */
export function parseJob(body: unknown): Job | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  if (!("type" in body && "repository" in body && "id" in body)) return undefined;
  const { repository, id } = body;
  const type = JOB_TYPES.find((known) => known === body.type);
  if (type === undefined || typeof repository !== "string" || typeof id !== "string") return undefined;
  return { type, repository, id };
}
