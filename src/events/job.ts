/**
 * The jobs on the queue. A job names its repository by id as well as by name. So a job left over from a
 * deleted repository does not touch a new one of the same name.
 *
 * @packageDocumentation
 */

/** The types of jobs that need no data but the repository. */
const PLAIN_JOBS = ["server-info", "mirror-sync", "maintenance", "lfs-sweep"] as const;

type JobSubject = {
  /** The name of the repository: `{tenant}/{repo}`. */
  readonly repository: string;
  readonly id: string;
};

/**
 * Work for the queue's consumer. Every job may be delivered more than once and in any order. `server-info` writes the
 * files that make the prefix a bare repository. `delete-prefix` deletes everything below the prefix of a deleted
 * repository; `lent` says that it has lent packs, which stay until they are returned. `deliver` makes the due deliveries
 * of a webhook. `mirror-sync` syncs a mirror. `maintenance` does a step of maintenance. `lfs-sweep` deletes Git LFS
 * objects that neither this repository nor others have any more; its id is "" if there is no repository.
 */
export type Job = JobSubject &
  (
    | { readonly type: (typeof PLAIN_JOBS)[number] }
    | { readonly type: "delete-prefix"; readonly lent?: true }
    | { readonly type: "deliver"; readonly hook: string }
  );

/** Parses the body of a queue message. Returns `undefined` if it is not a job, as one of another release may not be. */
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
  if (body.type === "delete-prefix") {
    const lent = "lent" in body && body.lent === true;
    return { type: "delete-prefix", repository, id, ...(lent ? { lent } : {}) };
  }
  const type = PLAIN_JOBS.find((known) => known === body.type);
  return type === undefined ? undefined : { type, repository, id };
}
