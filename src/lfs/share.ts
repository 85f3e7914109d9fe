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

async function share(
  { fork, links }: SharingStores,
  objects: readonly SharedLfsObject[],
  forkId: string,
): Promise<void> {
  // They are announced before they are linked, so that links of a fork that is given up are swept.
  await fork.adoptLfs(objects, "announced");
  const adopted: SharedLfsObject[] = [];
  for (const home of new Set(objects.map((object) => object.home))) {
    const own = objects.filter((object) => object.home === home);
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

/**
 * Shares all objects that the parent has. `forkId` is the id of the fork. An object whose bytes are being deleted in
 * this moment is left out: nobody has it any more.
 */
export async function shareLfsObjects(stores: SharingStores, forkId: string): Promise<void> {
  for (let after = ""; ;) {
    const page = await stores.parent.sharedLfs(after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.oid;
    await share(stores, page, forkId);
  }
}

/** Shares those of these objects that the parent has: see {@link shareLfsObjects}. */
export async function shareNamedLfs(
  stores: SharingStores & { readonly parent: Pick<LfsStore, "lfs"> },
  oids: readonly string[],
  forkId: string,
): Promise<void> {
  for (let at = 0; at < oids.length; at += PAGE) {
    const some = oids.slice(at, at + PAGE);
    const answer = await stores.parent.lfs({ kind: "find", oids: some });
    if (answer.kind !== "found") return;
    const objects = some.flatMap((oid, index): SharedLfsObject[] => {
      const outcome = answer.outcomes[index];
      return outcome?.kind === "stored" ? [{ oid, size: outcome.size, home: outcome.home }] : [];
    });
    if (objects.length > 0) await share(stores, objects, forkId);
  }
}

/** Shares all objects if the fork has none: its making may have broken off before they were shared. */
export async function shareIfNone(
  stores: SharingStores & { readonly fork: Pick<LfsStore, "sharedLfs"> },
  forkId: string,
): Promise<void> {
  const [own, others] = await Promise.all([stores.fork.sharedLfs("", 1), stores.parent.sharedLfs("", 1)]);
  if (own.length === 0 && others.length > 0) await shareLfsObjects(stores, forkId);
}
