/**
 * What a repository that was restored, or that went back in time, needs beside its rows.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { repositoryKey, type RepositoryName } from "../../access/names.ts";
import type { LfsLinks } from "../../access/lfs-links.ts";
import type { ObjectCopies, StagedRepository } from "../../access/object-copies.ts";
import { repositoryPrefix } from "../../catalog/pack-keys.ts";
import { unlessMoved } from "../../http/moved.ts";
import { Problem } from "../../http/problem.ts";
import { explainRegisterRefusal } from "../../http/register-refusal.ts";
import { mirrorPointerKey } from "../../refs/mirror-pointer.ts";
import type { RepositoryRecord } from "../../refs/ref-store.ts";
import type { ApiEnv, ApiHost } from "../api-host.ts";

/** Objects of Git LFS that are linked in one call. */
const LINKED_AT_ONCE = 1000;
/** Files that are listed in one call: as many as the bucket lists. */
const LISTED_AT_ONCE = 1000;
/** How often objects of Git LFS are linked that are just being deleted, and the milliseconds in between. */
const MOST_TRIES = 10;
const PAUSE = 1000;
/** Renames that are followed. */
const MOST_HOPS = 10;
/** Links objects of Git LFS to a restored repository. Without their tenant they are not: the links come back with it. */
async function linkAll(links: LfsLinks, oids: readonly string[], id: string): Promise<void> {
  const linked = new Set(await links.linkAllLfs(oids, id));
  // Those that no repository had any more.
  for (const oid of oids.filter((each) => !linked.has(each))) {
    let answer = await links.linkLfs(oid, id);
    for (let tries = 1; answer === "busy"; tries++) {
      if (tries === MOST_TRIES)
        throw new Problem(409, "Git LFS objects of it are being deleted: restore it in a moment.");
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      answer = await links.linkLfs(oid, id);
    }
    if (answer === "missing") return;
  }
}

/** Returns the name that a bucket's `config` says for the repository with an id; `undefined` if there is none. */
async function nameInBucket({ backup: { bucket } }: ApiHost, id: string): Promise<string | undefined> {
  const file = await bucket.open(`repos/${id}.git/config`, undefined, undefined);
  if (file === undefined || file === "changed") return undefined;
  return /^\trepository = "([^"\n]+)"$/m.exec(await new Response(file.body).text())?.[1];
}

/** Follows the repository with an id from a name on. Returns where it is, or is being deleted; `undefined` if it is nowhere. */
async function follow(
  { backup }: ApiHost,
  id: string,
  from: string,
): Promise<{ readonly name: string; readonly kind: "here" | "doomed" } | undefined> {
  let name = from.toLowerCase();
  for (let hops = 0; hops < MOST_HOPS; hops++) {
    const found = await backup.object("repository", name).whereabouts(id);
    if (found.kind === "unknown") return undefined;
    if (found.kind !== "moved") return { name, kind: found.kind };
    name = found.to.toLowerCase();
  }
  throw new Problem(409, "The repository was renamed too often since: where it is now can't be found.");
}

/** Makes sure that a repository lives under no other name: two of one id would delete each other's packs. @throws Problem */
export async function assertNowhereElse(api: ApiHost, name: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const config = await nameInBucket(api, id);
    for (const from of new Set([name, ...(config === undefined ? [] : [config])])) {
      const found = await follow(api, id, from);
      if (found === undefined || found.name === name) continue;
      const what =
        found.kind === "here"
          ? `The repository was renamed: it is ${found.name} now. Two of one id would delete each other's packs.`
          : `The repository was renamed to ${found.name}, and deleted there just now: try again when its files are gone.`;
      throw new Problem(409, what);
    }
  }
}

/** Has the packs lent again that a repository borrows. @throws Problem */
async function lendAgain(
  api: ApiHost,
  name: string,
  id: string,
  borrowed: StagedRepository["borrowed"],
): Promise<void> {
  for (const [home, packs] of Map.groupBy(borrowed, (each) => each.home)) {
    const names = packs.map(({ pack }) => pack);
    if (!(await api.lender(home).relend({ id, name }, names)))
      throw new Problem(409, "A pack that it borrows is being deleted just now: restore it in a moment.");
  }
}

/**
 * Enters a restored repository: its pointer goes, its tenant lists it, its packs and those that it borrows are held, and its
 * objects of Git LFS are linked. Each step may be repeated.
 */
export async function enterRepository({ var: { api, host } }: Context<ApiEnv>, name: RepositoryName): Promise<void> {
  // What the pointer says may not hold any more. The next sync writes another.
  await api.backup.bucket.delete(mirrorPointerKey(repositoryKey(name)));
  host.formats.forget(repositoryKey(name));
  const record = await api.settings(name).describe().catch(unlessMoved);
  if (record !== undefined) await enterRecord(api, name, record);
  await api.backup.object("repository", repositoryKey(name)).entered();
}

async function enterRecord(
  api: ApiHost,
  name: RepositoryName,
  record: Pick<RepositoryRecord, "id" | "objectFormat" | "visibility">,
): Promise<void> {
  const tenant = api.tenant(name.tenant);
  const { id, objectFormat, visibility } = record;
  if ((await tenant.describe()) !== undefined) {
    const entered = await tenant.register({
      repo: name.repo,
      objectFormat,
      visibility,
      byPush: false,
      byOperator: true,
    });
    if (entered.kind === "refused") {
      const { status, detail } = explainRegisterRefusal(entered.why);
      throw new Problem(status, detail);
    }
    await tenant.repoArrived(name.repo, { id });
  }
  const snapshot = await api.lending(name).open({ packs: true, refPrefixes: [] });
  const [own, borrowed] = [[] as string[], [] as { pack: string; home: string }[]];
  for (const { name: pack, loan } of snapshot.kind === "found" ? snapshot.packs : []) {
    if (loan === undefined) own.push(pack);
    else borrowed.push({ pack, home: loan.home });
  }
  await api.lender(id).revive(own);
  await lendAgain(api, repositoryKey(name), id, borrowed);
  for (let after = ""; ;) {
    const objects = await api.lfs(name).sharedLfs(after, LINKED_AT_ONCE);
    for (const [home, shared] of Map.groupBy(objects, (object) => object.home)) {
      await linkAll(
        api.lfsLinks(home),
        shared.map(({ oid }) => oid),
        id,
      );
    }
    const last = objects.at(-1);
    if (last === undefined || objects.length < LINKED_AT_ONCE) return;
    after = last.oid;
  }
}

/**
 * Has files deleted that came to the bucket after the moment to which a repository went back. They are listed first: what comes while they
 * are is under a lease.
 */
export async function sweepStrays(api: ApiHost, name: RepositoryName): Promise<void> {
  const { backup } = api;
  const record = await api.settings(name).describe().catch(unlessMoved);
  if (record === undefined) return;
  const object = backup.object("repository", repositoryKey(name));
  for (let cursor: string | undefined, isMore = true; isMore; isMore = cursor !== undefined) {
    const page = await backup.bucket.list(`${repositoryPrefix(record.id)}objects/pack/pack-`, cursor, LISTED_AT_ONCE);
    const names = new Set(page.files.flatMap(({ key }) => /pack-([0-9a-f]+)\.[^/]+$/.exec(key)?.[1] ?? []));
    if (names.size > 0) await object.leaseStrays([...names]);
    cursor = page.cursor;
  }
}

/** Makes sure, before a repository is made, that it is nowhere else, and that its loans hold. What was staged is dropped if not. */
export async function prepareRestore(
  api: ApiHost,
  name: string,
  staged: StagedRepository,
  object: ObjectCopies,
): Promise<void> {
  try {
    await assertNowhereElse(api, name, [staged.id]);
    await lendAgain(api, name, staged.id, staged.borrowed);
  } catch (error) {
    await object.discard();
    throw error;
  }
}
