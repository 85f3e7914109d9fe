/**
 * Deletes the bytes of Git LFS objects that no repository has any more: those of deleted repositories, and those whose
 * upload was announced and never ended.
 *
 * @packageDocumentation
 */
import type { LfsLinks } from "../access/lfs-links.ts";
import type { LeavingObject, LfsStore } from "../refs/lfs-store.ts";
import type { LfsFiles } from "./lfs-files.ts";

/** Objects of one page. The bucket deletes as many in one operation. */
const PAGE = 1000;

/** The stores that are swept. */
export type SweptStores = {
  readonly store: Pick<LfsStore, "leavingLfs" | "lfsLeft">;
  readonly links: (home: string) => LfsLinks;
  readonly files: (home: string) => Pick<LfsFiles, "delete">;
};

/** Sweeps up to `pages` pages. Returns whether nothing is left to do. */
export async function sweepLfsObjects({ store, links, files }: SweptStores, pages: number): Promise<boolean> {
  for (let page = 0; page < pages; page++) {
    const leaving = await store.leavingLfs(PAGE);
    if (leaving.length === 0) return true;
    let held = 0;
    for (const group of grouped(leaving)) {
      const [{ id, home }] = group;
      const tenant = links(home);
      const answer = await tenant.unlinkLfs(
        group.map(({ oid }) => oid),
        id,
      );
      if (answer.gone.length > 0) {
        await files(home).delete(answer.gone);
        await tenant.lfsDeleted(answer.gone);
      }
      const later = new Set(answer.held);
      held += later.size;
      await store.lfsLeft(group.filter(({ oid }) => !later.has(oid)));
    }
    if (held > 0) return false;
  }
  return false;
}

/** Divides objects by the tenant of their bytes and by repository. */
function grouped(objects: readonly LeavingObject[]): (readonly [LeavingObject, ...LeavingObject[]])[] {
  const groups = new Map<string, [LeavingObject, ...LeavingObject[]]>();
  for (const object of objects) {
    const key = `${object.home}/${object.id}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [object]);
    else group.push(object);
  }
  return [...groups.values()];
}
