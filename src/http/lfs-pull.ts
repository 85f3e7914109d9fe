/**
 * Git LFS objects of mirrors, which come from the upstream when they are first asked for, and stay.
 *
 * @packageDocumentation
 */
import type { LfsObject, LfsOutcome } from "../refs/lfs-store.ts";
import { type AnnouncedObject, boundOf, pullObject as pulled } from "../lfs/pull.ts";
import type { Caller } from "./admission.ts";
import type { FoundLfs } from "./lfs-admission.ts";

const MISSING: LfsOutcome = { kind: "missing" };

/**
 * Announces those objects that a mirror lacks and its upstream has, with the size that the upstream says. They are
 * answered as announced, and fetched when they are downloaded. An object that the upstream lacks, too, stays missing.
 * One that was announced in another size than the caller's is asked for again: the upstream decides.
 */
export async function withUpstream(
  { host, name }: Caller,
  found: FoundLfs,
  objects: readonly LfsObject[],
): Promise<FoundLfs> {
  if (found.record.mirror === undefined) return found;
  const unsure = objects.filter(({ size }, at) => {
    const outcome = found.outcomes[at];
    return outcome?.kind === "missing" || (outcome?.kind === "announced" && outcome.size !== size);
  });
  if (unsure.length === 0) return found;
  const upstream = await host.lfsUpstream(name, found.record.id);
  const offered = (await upstream?.offers(unsure)) ?? new Map<string, number>();
  if (upstream === undefined || offered.size === 0) return found;
  const wanted = unsure.filter(({ oid, size }) => offered.get(oid) === size);
  const fresh = new Map<string, LfsOutcome>();
  // These have another size than the caller says, and are refused. Nothing is announced for them.
  for (const { oid } of unsure) {
    const size = offered.get(oid);
    if (size !== undefined) fresh.set(oid, { kind: "announced", size, home: name.tenant });
  }
  if (wanted.length > 0) {
    const bound = boundOf(await upstream.mostBytes());
    const request = { kind: "announce", objects: wanted, home: name.tenant, pulled: true, ...bound } as const;
    const answer = await host.lfs(name).lfs(request);
    if (answer.kind !== "found") return found;
    for (const [at, { oid }] of wanted.entries()) fresh.set(oid, answer.outcomes[at] ?? MISSING); // A mirror that ended takes none.
  }
  const outcomes = objects.map(({ oid }, at) => fresh.get(oid) ?? found.outcomes[at] ?? MISSING); // One for each.
  return { ...found, outcomes };
}

/** Fetches an announced object of a mirror from its upstream, and keeps it. */
export async function pullObject(
  { host, name }: Caller,
  repositoryId: string,
  announced: AnnouncedObject,
): Promise<LfsOutcome> {
  const upstream = await host.lfsUpstream(name, repositoryId);
  if (upstream === undefined) return MISSING;
  // It goes on if the reader leaves: the next one finds the object.
  const until = (work: Promise<unknown>): void => host.until(work);
  const places = { links: (home: string) => host.lfsLinks(home), files: (home: string) => host.lfsFiles(home) };
  return await pulled({ upstream, store: host.lfs(name), ...places, until }, repositoryId, announced);
}
