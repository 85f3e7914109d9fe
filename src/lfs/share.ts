/**
 * Gives a fork the Git LFS objects of its parent. No byte is copied: the fork gets a row for each object, and their
 * tenants a link. Whoever forks may read the parent, which is proof enough.
 *
 * @packageDocumentation
 */
import type { LfsLinks } from "../access/lfs-links.ts";
import type { LfsStore, SharedLfsObject } from "../refs/lfs-store.ts";

/** Objects of one page. */
const PAGE = 5000;

/** The stores of both repositories, and the links of tenants. */
export type SharingStores = {
  readonly parent: Pick<LfsStore, "sharedLfs">;
  readonly fork: Pick<LfsStore, "adoptLfs">;
  readonly links: (home: string) => Pick<LfsLinks, "linkAllLfs">;
};

/**
 * Shares all objects that the parent has. `forkId` is the id of the fork. An object whose bytes are being deleted in
 * this moment is left out: nobody has it any more.
 */
export async function shareLfsObjects({ parent, fork, links }: SharingStores, forkId: string): Promise<void> {
  for (let after = ""; ;) {
    const page = await parent.sharedLfs(after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.oid;
    // They are announced before they are linked, so that links of a fork that is given up are swept.
    await fork.adoptLfs(page, "announced");
    const adopted: SharedLfsObject[] = [];
    for (const home of new Set(page.map((object) => object.home))) {
      const own = page.filter((object) => object.home === home);
      const linked = new Set(
        await links(home).linkAllLfs(
          own.map(({ oid }) => oid),
          forkId,
        ),
      );
      adopted.push(...own.filter(({ oid }) => linked.has(oid)));
    }
    await fork.adoptLfs(adopted, "stored");
  }
}
