/**
 * Does one step of a repository's maintenance: combines the packs that the repository's store has planned. Pushes and
 * fetches go on meanwhile. A step that dies leaves nothing but files under a lease, which are swept when that ends.
 *
 * @packageDocumentation
 * @see git-repack(1), `--geometric`
 */
import { toHex } from "../bytes/hex.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { combinePacks } from "../packing/combine-packs.ts";
import { StagedPack } from "../packing/staged-pack.ts";
import type { MaintenanceRun, MaintenanceStore } from "../refs/maintenance-store.ts";
import type { PackCatalog } from "../refs/pack-catalog.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import type { Repository } from "../repository/repository.ts";

/** The random bytes of a pack's name. */
const PACK_NAME_BYTES = 20;

/** The repository that is maintained. */
export type Maintained = {
  readonly repository: Repository;
  readonly maintenance: Pick<MaintenanceStore, "beginMaintenance" | "endMaintenance">;
  readonly catalog: PackCatalog;
};

type Result = Pick<MaintenanceRun, "outcome" | "written">;

/** Combines packs, and puts the result in their place. */
async function rollUp(
  { repository, catalog }: Maintained,
  record: RepositoryRecord,
  packs: readonly PackRecord[],
  packName: string,
): Promise<Result> {
  const staged = new StagedPack(packName, repository.refs, repository.storage(record.id));
  let combined: PackRecord;
  try {
    combined = await combinePacks({ repository, record, packs, packName });
  } catch (error) {
    await staged.discard();
    throw error;
  }
  const replaced = packs.map(({ name }) => name);
  // Where the answer is lost, the packs may well have been replaced: the lease sees to the files if they were not.
  const { kind } = await catalog.replacePacks({ id: record.id, added: [combined], replaced });
  if (kind === "done") return { outcome: "done", written: combined.packBytes };
  await staged.discard();
  return { outcome: "stale", written: combined.packBytes };
}

/**
 * Does the step that is due in repository `id`, and reports it. Returns what it did. Nothing is done where another
 * repository has the name now. It never throws for what a step met: the report says that it failed, and the store has it
 * tried again later.
 */
export async function maintain(maintained: Maintained, id: string): Promise<MaintenanceRun> {
  const { repository, maintenance } = maintained;
  const at = repository.now();
  const packName = toHex(repository.random(PACK_NAME_BYTES));
  const begun = await maintenance.beginMaintenance(id, packName);
  const packs = begun.kind === "gone" ? [] : begun.packs;
  const sums = {
    packs: packs.length,
    objects: packs.reduce((sum, pack) => sum + pack.objects, 0),
    bytes: packs.reduce((sum, pack) => sum + pack.packBytes, 0),
  };
  const ended = (result: Result & { error?: string }): MaintenanceRun => ({
    at,
    ms: repository.now() - at,
    ...sums,
    ...result,
  });
  let run: MaintenanceRun;
  try {
    run = ended(
      begun.kind === "gone" || packs.length === 0
        ? { outcome: "nothing", written: 0 }
        : await rollUp(maintained, begun.record, packs, packName),
    );
  } catch (error) {
    run = ended({ outcome: "failed", written: 0, error: error instanceof Error ? error.message : String(error) });
  }
  if (begun.kind !== "gone") await maintenance.endMaintenance(id, run);
  return run;
}
