/**
 * Decides which pack of a catalog is offered as a bundle: one that has everything that its commits reach, and of which refs
 * reach everything. A bundle is a head and a pack, so nothing is stored but the refs of the head: they are the pack's `.tips`
 * file, which maintenance writes with its bitmaps, when it has found out what the commits reach.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `leastBytes` | 1 MiB | a smaller pack comes as fast with the clone itself |
 * | `mostTips` | 1000 | the refs of a head: HEAD's branch first, then other branches, then tags. A client tells all of them as what it has |
 *
 * @packageDocumentation
 * @see gitformat-bundle(5), git-clone(1), `--bundle-uri`
 */
import type { PackRecord } from "./pack-record.ts";

/** The numbers; see the table above. */
export const BUNDLES = { leastBytes: 1024 * 1024, mostTips: 1000 } as const;

/** Returns the pack that is offered as a bundle; `undefined` if none is. */
export function bundledPack(packs: readonly PackRecord[]): PackRecord | undefined {
  const good = packs.filter(
    ({ marked, bitmap, packBytes }) => marked && bitmap?.tips !== undefined && packBytes >= BUNDLES.leastBytes,
  );
  return good.toSorted((a, b) => b.packBytes - a.packBytes)[0];
}
