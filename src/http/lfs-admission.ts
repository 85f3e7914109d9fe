/**
 * Who may do what with a repository's Git LFS objects: as with its Git objects.
 *
 * @packageDocumentation
 */
import { mightWrite } from "../access/decide.ts";
import type { RepositoryName } from "../access/names.ts";
import type { LfsAnswer, LfsRequest } from "../refs/lfs-store.ts";
import { authorize, describeMirror } from "./denied.ts";
import type { Host } from "./host.ts";
import { Problem } from "./problem.ts";
import { assertRoom, PUSHED_REPOSITORY } from "./pushed-repository.ts";

/** What a repository answered that is there. */
export type FoundLfs = Extract<LfsAnswer, { kind: "found" }>;

/** Refuses a requester whose credentials can't be enough, without opening anything. */
export async function refuseStrangers({ host, name }: LfsCaller, writes: boolean): Promise<void> {
  const { known } = host;
  if (known === undefined || known.kind === "operator") return;
  if (writes || known.kind === "invalid") await authorize(host, "write", name, undefined);
}

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

/** A requester, and the repository that it asks for. */
export type LfsCaller = { readonly host: Host; readonly name: RepositoryName };

/**
 * Asks a repository, for a caller that may read it.
 *
 * @throws AccessDenied
 */
export async function askAsReader({ host, name }: LfsCaller, request: LfsRequest): Promise<FoundLfs> {
  const answer = await host.lfs(name).lfs(request);
  await authorize(host, "read", name, answer.kind === "found" ? answer.record : undefined);
  if (answer.kind !== "found") throw new Problem(404, "There is no such repository.");
  return answer;
}

/**
 * Asks a repository, for a caller that may write to it. A caller that may not in any case is refused before the request
 * is sent. `makes`: a missing repository is made, as a push would make it.
 *
 * @throws AccessDenied, Problem, GitRefusal
 */
export async function askAsWriter(caller: LfsCaller, request: LfsRequest, makes = false): Promise<FoundLfs> {
  const { host, name } = caller;
  const { principal } = await host.identify(name);
  const mayBe = mightWrite(principal, name);
  const answer = await host.lfs(name).lfs(mayBe ? request : { kind: "find", oids: [] });
  if (answer.kind === "full") {
    throw new Problem(429, "Too many objects are announced to this repository and were not uploaded.", {
      "Retry-After": "3600",
    });
  }
  if (answer.kind === "found") {
    const { record } = answer;
    if (record.mirror !== undefined) {
      await authorize(host, "read", name, record);
      throw new Problem(403, await describeMirror(host, name, record.mirror));
    }
    await authorize(host, "write", name, record);
    return answer;
  }
  await authorize(host, "write", name, undefined);
  if (!makes) throw new Problem(404, "There is no such repository.");
  await makeRepository(caller);
  return await askAsWriter(caller, request);
}

/**
 * Makes a repository as a push would: the client uploads before it pushes.
 *
 * @throws GitRefusal
 */
async function makeRepository({ host, name }: LfsCaller): Promise<void> {
  await assertRoom(host, name);
  const wanted = { ...PUSHED_REPOSITORY, objectFormat: "sha1" } as const;
  const registered = await host.register(name, wanted);
  await host.repository(name).refs.beginPush({ names: [], create: { ...wanted, ...registered } });
}
