/**
 * Who may do what with a repository's Git LFS objects: as with its Git objects.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { mightWrite } from "../access/decide.ts";
import type { RepositoryName } from "../access/names.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import type { LfsAnswer, LfsRequest } from "../refs/lfs-store.ts";
import { type Caller, refuseMirror } from "./admission.ts";
import { authorize } from "./denied.ts";
import type { Host, HostEnv } from "./host.ts";
import { namedRepository } from "./named-repository.ts";
import { Problem } from "./problem.ts";
import { assertRoom, PUSHED_REPOSITORY } from "./pushed-repository.ts";

/** What a repository answered that is there. */
export type FoundLfs = Extract<LfsAnswer, { kind: "found" }>;

/** Objects that one call looks for. */
const LOOKED_UP_AT_ONCE = 10_000;

/** Returns those of some objects that a repository does not have, for a push that was admitted to it. */
export async function missingLfs(host: Host, name: RepositoryName, oids: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (let at = 0; at < oids.length; at += LOOKED_UP_AT_ONCE) {
    const asked = oids.slice(at, at + LOOKED_UP_AT_ONCE);
    const answer = await host.lfs(name).lfs({ kind: "find", oids: asked });
    const outcomes = answer.kind === "found" ? answer.outcomes : [];
    missing.push(...asked.filter((_, index) => outcomes[index]?.kind !== "stored"));
  }
  return missing;
}

/** Returns the requester of a request for Git LFS. */
export function lfsCaller(context: Context<HostEnv>): Caller {
  return { host: context.var.host, name: namedRepository(context) };
}

/**
 * Returns what a repository answered, for a caller that may read it.
 *
 * @throws AccessDenied, Problem
 */
export async function foundByReader<Found extends { readonly kind: "found"; readonly record: RepositoryRecord }>(
  { host, name }: Caller,
  answer: Found | { readonly kind: "missing" | "full" },
): Promise<Found> {
  await authorize(host, "read", name, answer.kind === "found" ? answer.record : undefined);
  if (answer.kind !== "found") throw new Problem(404, "There is no such repository.");
  return answer;
}

/**
 * Admits a caller that may write to a repository of which `record` was found, if there is one.
 *
 * @throws AccessDenied, GitRefusal
 */
export async function admitWriter(caller: Caller, record: RepositoryRecord | undefined): Promise<void> {
  await refuseMirror(caller, record);
  await authorize(caller.host, "write", caller.name, record);
}

/**
 * Asks a repository, for a caller that may read it.
 *
 * @throws AccessDenied
 */
export async function askAsReader(caller: Caller, request: LfsRequest): Promise<FoundLfs> {
  return await foundByReader<FoundLfs>(caller, await caller.host.lfs(caller.name).lfs(request));
}

/**
 * Asks a repository, for a caller that may write to it. A caller that may not in any case is refused before the request
 * is sent. `makes`: a missing repository is made, as a push would make it.
 *
 * @throws AccessDenied, Problem, GitRefusal
 */
export async function askAsWriter(caller: Caller, request: LfsRequest, makes = false): Promise<FoundLfs> {
  const { host, name } = caller;
  const { principal } = await host.identify(name);
  const mayBe = mightWrite(principal, name);
  const answer = await host.lfs(name).lfs(mayBe ? request : { kind: "find", oids: [] });
  if (answer.kind === "full") {
    throw new Problem(429, "Too many objects are announced to this repository and were not uploaded.", {
      "Retry-After": "3600",
    });
  }
  await admitWriter(caller, answer.kind === "found" ? answer.record : undefined);
  if (answer.kind === "found") return answer;
  if (!makes) throw new Problem(404, "There is no such repository.");
  await makeRepository(caller);
  return await askAsWriter(caller, request);
}

/**
 * Makes a repository as a push would: the client uploads before it pushes.
 *
 * @throws GitRefusal
 */
async function makeRepository({ host, name }: Caller): Promise<void> {
  await assertRoom(host, name);
  const wanted = { ...PUSHED_REPOSITORY, objectFormat: "sha1" } as const;
  const registered = await host.register(name, wanted);
  await host.repository(name).refs.beginPush({ names: [], create: { ...wanted, ...registered } });
}

/** Returns the most bytes that the repository may have; `undefined` if that is not bounded. */
export async function bytesAllowed({ host, name }: Caller): Promise<{ readonly most?: number }> {
  const { bytes, elsewhere } = await host.allowance(name);
  // A tenant without other repositories has nothing elsewhere.
  return bytes === undefined ? {} : { most: Math.max(0, bytes - (elsewhere?.bytes ?? 0)) };
}
