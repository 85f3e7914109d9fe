/**
 * Puts objects back to an earlier moment, by the platform's recovery, and says which packs of theirs have gone since.
 *
 * The bucket does not go back. Packs that others replaced stay there for a day, so that a repository of at most a day ago has
 * all of its packs, unless a purge or a deletion came in between.
 *
 * @packageDocumentation
 */
import { isRefusalOfOne } from "../failure.ts";
import { textAt } from "../json.ts";
import { shownUnit, type UnitName } from "./backup-directory.ts";
import type { Deployment } from "./deployment.ts";
import { missingPacks } from "./missing-packs.ts";
import { RowReader } from "./object-rows.ts";

/** What a recovery did. */
export type Recovered = {
  /** The objects that went back, each with the platform's bookmark of before. */
  readonly objects: { readonly kind: string; readonly name: string; readonly undo: string }[];
  /** Packs that a catalog names, and that are not in the bucket any more. */
  readonly missing: string[];
  /** Repositories that the host did not put back, each with why: one that lives on under another name, say. */
  readonly refused: string[];
};

/** Names the repositories of a tenant. */
async function repositoriesOf(host: Deployment, tenant: string): Promise<UnitName[]> {
  const rows = await host.rows({ kind: "tenant", name: tenant }, "");
  if (rows === undefined || rows === "same") return [];
  const found: UnitName[] = [];
  const reader = new RowReader(["tenant_repos"], (_, row) => {
    found.push({ kind: "repository", name: `${tenant}/${textAt(row, "name")}` });
  });
  for await (const _ of reader.pass(rows.body));
  return found;
}

/** Puts a tenant with its repositories, one repository, or everything back to `at`. */
export async function recoverTo(
  host: Deployment,
  { at, only }: { readonly at: string; readonly only?: string },
  say: (text: string) => void,
): Promise<Recovered> {
  const recovered: Recovered = { objects: [], missing: [], refused: [] };
  const recover = async (unit: UnitName): Promise<void> => {
    say(shownUnit(unit));
    const undo = await host.recover(unit, at);
    recovered.objects.push({ ...unit, undo });
    if (unit.kind === "repository") recovered.missing.push(...(await missingPacks(host, unit)));
  };
  // What is said of one repository holds up no other.
  const tryRecover = async (unit: UnitName): Promise<void> => {
    try {
      await recover(unit);
    } catch (error) {
      if (!isRefusalOfOne(error)) throw error;
      recovered.refused.push(`${shownUnit(unit)}: ${error.message}`);
    }
  };
  if (only?.includes("/") === true) {
    await recover({ kind: "repository", name: only });
    return recovered;
  }
  if (only === undefined) await recover({ kind: "directory", name: "tenants" });
  for (const tenant of only === undefined ? await host.tenants() : [only]) {
    // A repository goes back before its tenant asks whether it is there; one that was deleted since is in the list of then.
    const before = await repositoriesOf(host, tenant);
    for (const unit of before) await tryRecover(unit);
    await recover({ kind: "tenant", name: tenant });
    const known = new Set(before.map(({ name }) => name));
    for (const unit of await repositoriesOf(host, tenant)) if (!known.has(unit.name)) await tryRecover(unit);
  }
  return recovered;
}
