/**
 * Fetches Git LFS objects of a mirror from its upstream.
 *
 * @packageDocumentation
 */
import type { LfsLinks } from "../access/lfs-links.ts";
import type { LfsObject, LfsOutcome, LfsStore } from "../refs/lfs-store.ts";
import type { MirrorLfs } from "../refs/mirror-store.ts";
import type { LfsFiles } from "./lfs-files.ts";
import type { LfsUpstream } from "./lfs-upstream.ts";

const MISSING: LfsOutcome = { kind: "missing" };
/** Objects that are fetched at once. */
const AT_ONCE = 3;

/** What an object is fetched with. */
export type PullTools = {
  readonly upstream: LfsUpstream;
  readonly store: Pick<LfsStore, "lfs">;
  readonly links: (home: string) => Pick<LfsLinks, "linkLfs">;
  readonly files: (home: string) => Pick<LfsFiles, "write">;
  /** Is given work that goes on if the caller leaves. */
  readonly until?: (work: Promise<unknown>) => void;
};

/** An object that was announced, with the tenant under which its bytes lie. */
export type AnnouncedObject = { readonly object: LfsObject; readonly home: string };

/** Returns the bound on the mirror's bytes, as a part of a request. */
export function boundOf(most: number | undefined): { readonly most?: number } {
  return most === undefined ? {} : { most };
}

/** Fetches an announced object of a mirror from its upstream, and keeps it. */
export async function pullObject(
  { upstream, store, links, files, until }: PullTools,
  repositoryId: string,
  { object, home }: AnnouncedObject,
): Promise<LfsOutcome> {
  if ((await links(home).linkLfs(object.oid, repositoryId)) !== "linked") return MISSING;
  const body = await upstream.open(object);
  if (body === undefined) return MISSING;
  const writing = files(home).write(object, body);
  until?.(writing);
  if ((await writing) !== "written") return MISSING;
  const bound = boundOf(await upstream.mostBytes());
  const answer = await store.lfs({ kind: "keep", object, pulled: true, ...bound });
  return (answer.kind === "found" ? answer.outcomes[0] : undefined) ?? MISSING; // A mirror that is gone has nothing.
}

/** The next pointers of a mirror, and how far it has come once their objects are here. */
export type PointerPage = { readonly objects: readonly LfsObject[]; readonly progress: MirrorLfs };

/** What all objects of a mirror are fetched with. */
export type PullAllInput = {
  readonly tools: PullTools;
  readonly id: string;
  /** The tenant under which the bucket gets new objects. */
  readonly home: string;
  readonly progress: MirrorLfs;
  /** Finds the next pointers; `undefined` if the repository is gone. */
  readonly next: (progress: MirrorLfs) => Promise<PointerPage | undefined>;
  readonly note: (progress: MirrorLfs) => Promise<void>;
  /** Whether the rest has to wait for another step. */
  readonly isTimeUp: () => boolean;
  /** Returns a random number from 0 up to a bound, which it never is. */
  readonly random: (below: number) => number;
};

/**
 * Fetches the objects that the pointers of a mirror name, as many as the time allows. `failed`: the upstream did not
 * answer, and is asked again with the next sync. An object that the upstream lacks is missing here, and holds up nothing.
 */
export async function pullAll(input: PullAllInput): Promise<"done" | "more" | "failed"> {
  let { progress } = input;
  for (;;) {
    const page = await input.next(progress);
    if (page === undefined) return "done";
    const pulled = await pullPage(input, page.objects);
    if (typeof pulled === "string") return pulled;
    const { objects, missing } = page.progress;
    progress = { ...page.progress, objects: objects + pulled.objects, missing: missing + pulled.missing };
    await input.note(progress);
    if (progress.complete) return "done";
    if (input.isTimeUp()) return "more";
  }
}

type Pulled = { readonly objects: number; readonly missing: number };

async function pullPage(input: PullAllInput, named: readonly LfsObject[]): Promise<Pulled | "more" | "failed"> {
  const { upstream, store } = input.tools;
  const found = await store.lfs({ kind: "find", oids: named.map(({ oid }) => oid) });
  if (found.kind !== "found") return "failed";
  const lacking = named.filter((_, at) => found.outcomes[at]?.kind !== "stored");
  const offered = lacking.length === 0 ? new Map<string, number>() : await upstream.offers(lacking);
  if (offered === undefined) return "failed";
  const wanted = lacking.filter(({ oid, size }) => offered.get(oid) === size);
  let missing = lacking.length - wanted.length;
  if (wanted.length === 0) return { objects: 0, missing };
  const bound = boundOf(await upstream.mostBytes());
  const announce = { kind: "announce", objects: wanted, home: input.home, pulled: true, ...bound } as const;
  const announced = await store.lfs(announce);
  if (announced.kind !== "found") return "failed";
  const lent = wanted.flatMap((object, at): AnnouncedObject[] => {
    const outcome = announced.outcomes[at];
    return outcome?.kind === "announced" ? [{ object, home: outcome.home }] : [];
  });
  missing += wanted.length - lent.length;
  const { objects, isWhole } = await pullEach(input, lent);
  // Where nothing came in all that time, the next sync of the schedule goes on, and not one at once.
  if (!isWhole) return objects > 0 ? "more" : "failed";
  return { objects, missing: missing + lent.length - objects };
}

/**
 * Fetches objects, some at once. A slow one holds up no other: the rest goes on beside it, and each step begins with
 * another object. `isWhole`: the time has sufficed to try all of them. Where one throws, no other is begun, and those
 * under way are awaited.
 */
async function pullEach(
  { tools, id, isTimeUp, random }: PullAllInput,
  all: readonly AnnouncedObject[],
): Promise<{ readonly objects: number; readonly isWhole: boolean }> {
  const first = random(all.length);
  const left = [...all.slice(first), ...all.slice(0, first)];
  let objects = 0;
  const pullOn = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      if (isTimeUp()) return void left.unshift(next);
      if ((await pullObject(tools, id, next)).kind === "stored") objects += 1;
    }
  };
  const pullOnOrEnd = async (): Promise<void> => {
    try {
      await pullOn();
    } catch (error) {
      left.length = 0;
      throw error;
    }
  };
  // A job that fails is tried again: nothing of it may go on beside that.
  const settled = await Promise.allSettled(Array.from({ length: AT_ONCE }, pullOnOrEnd));
  for (const outcome of settled) if (outcome.status === "rejected") throw outcome.reason;
  return { objects, isWhole: left.length === 0 };
}
