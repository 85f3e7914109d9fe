/**
 * Restores a deployment, a tenant or a repository from a backup. Everything is checked before the first byte is written.
 *
 * Files come before the rows that name them, and a repository before its tenant: a tenant asks its repositories whether
 * they are there, and enters itself in the directory.
 *
 * @packageDocumentation
 */
import { CommandFailure, isRefusalOfOne } from "../failure.ts";
import { type BackupDirectory, type CopiedFile, shownUnit, type UnitName } from "./backup-directory.ts";
import type { Deployment } from "./deployment.ts";
import { lfsFilesOf } from "./make-backup.ts";
import { missingPacks } from "./missing-packs.ts";
import { verifyUnits } from "./verify-backup.ts";

/** The order in which objects are made. */
const ORDER: readonly UnitName["kind"][] = ["lender", "repository", "directory", "tenant"];
/** Objects that are named in a message. */
const SHOWN = 10;

/** What is restored, and what becomes of what is there. */
export type RestoreOptions = {
  /** A tenant, or `tenant/repository`; everything if absent. */
  readonly only?: string;
  /** `refuse`: nothing is done if anything is there; `replace`: it is replaced; `keep`: it stays as it is. */
  readonly present: "refuse" | "replace" | "keep";
};

/** What a restore did. */
export type Restored = {
  objects: number;
  kept: number;
  files: number;
  /** Repositories that were left as they are, and that name packs which neither the bucket nor the backup has. */
  readonly incomplete: { readonly repository: string; readonly missing: readonly string[] }[];
  /** Repositories that the host did not take, and those whose packs could not be looked for, each with why. */
  readonly refused: string[];
  readonly unseen: string[];
};

/** Returns the objects that are to be restored. */
function chosen(directory: BackupDirectory, only: string | undefined): UnitName[] {
  const all = directory.units();
  const isWanted = ({ kind, name }: UnitName): boolean => {
    if (only === undefined) return true;
    if (kind === "repository") return name === only || name.startsWith(`${only}/`);
    return kind === "tenant" && name === only;
  };
  const wanted = all.filter(isWanted);
  const lenders = new Set(only === undefined ? [] : wanted.flatMap((unit) => directory.readUnit(unit)?.lenders ?? []));
  if (wanted.length === 0) throw new CommandFailure(`the backup in ${directory.path} has no ${only ?? "objects"}`);
  const more = all.filter(({ kind, name }) => kind === "lender" && lenders.has(name));
  return [...wanted, ...more].toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

/** Whether an object that is there stays whatever is asked: a lender knows the loans of all forks, and not only of what is restored. */
function staysAlways({ kind }: UnitName, only: string | undefined): boolean {
  return kind === "lender" && only !== undefined;
}

/** One run of a restore. */
export class RestoreRun {
  readonly #host: Deployment;
  readonly #directory: BackupDirectory;
  readonly #say: (text: string) => void;
  readonly #done: Restored = { objects: 0, kept: 0, files: 0, incomplete: [], refused: [], unseen: [] };

  /** `say` is told what is being done. */
  constructor(host: Deployment, directory: BackupDirectory, say: (text: string) => void) {
    this.#host = host;
    this.#directory = directory;
    this.#say = say;
  }

  /** Restores. @throws CommandFailure if the backup is damaged, or something is there that is not to be replaced. */
  async run({ only, present }: RestoreOptions): Promise<Restored> {
    this.#directory.assertFinished();
    const units = chosen(this.#directory, only?.toLowerCase());
    await verifyUnits(this.#directory, units, this.#say);
    const there: UnitName[] = [];
    for (const unit of units) if (await this.#isThere(unit)) there.push(unit);
    const inTheWay = there.filter((unit) => !staysAlways(unit, only)).map(shownUnit);
    if (present === "refuse" && inTheWay.length > 0) {
      const shown = inTheWay.slice(0, SHOWN).join(", ");
      throw new CommandFailure(
        `nothing was done: the host has ${shown}${inTheWay.length > SHOWN ? " and more" : ""}. --replace replaces what is there, --missing leaves it as it is`,
      );
    }
    for (const unit of units) if (unit.kind === "repository") await this.#putFiles(unit, present);
    const kept: UnitName[] = [];
    for (const unit of units) {
      if (there.includes(unit) && (present === "keep" || staysAlways(unit, only))) kept.push(unit);
      else await this.#tryRows(unit, present === "replace");
    }
    this.#done.kept = kept.length;
    for (const unit of kept) if (unit.kind === "repository") await this.#lookForPacks(unit);
    return this.#done;
  }

  /** Looks at a repository that was left as it is: it may name packs that were made after the backup, and that were lost with the bucket. */
  async #lookForPacks(unit: UnitName): Promise<void> {
    this.#say(`looking for the packs of ${shownUnit(unit)}`);
    try {
      const missing = await missingPacks(this.#host, unit);
      if (missing.length > 0) this.#done.incomplete.push({ repository: unit.name, missing });
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      this.#done.unseen.push(`${shownUnit(unit)}: ${error.message}`);
    }
  }

  async #isThere(unit: UnitName): Promise<boolean> {
    this.#say(`looking for ${shownUnit(unit)}`);
    return await this.#host.exists(unit);
  }

  /** Restores an object. What the host says of one repository, such as that it lives under another name, holds up no other. */
  async #tryRows(unit: UnitName, replace: boolean): Promise<void> {
    try {
      await this.#putRows(unit, replace);
    } catch (error) {
      if (unit.kind !== "repository" || !isRefusalOfOne(error)) throw error;
      this.#done.refused.push(`${shownUnit(unit)}: ${error.message}`);
    }
  }

  async #putRows(name: UnitName, replace: boolean): Promise<void> {
    this.#say(shownUnit(name));
    const unit = this.#directory.readUnit(name);
    if (unit === undefined) throw new CommandFailure(`${shownUnit(name)} has gone from the backup`);
    await this.#host.putRows(unit, () => this.#directory.rows(unit), replace);
    // What deletes the files of one that was deleted lately may have come in between. From now on it does not.
    if (unit.kind === "repository") await this.#putFiles(unit, replace ? "replace" : "keep");
    this.#done.objects += 1;
  }

  /** Writes the files of a repository that the bucket does not have. Files never change: those of the same size stay, unless all is replaced. */
  async #putFiles(name: UnitName, present: RestoreOptions["present"]): Promise<void> {
    const unit = this.#directory.readUnit(name);
    if (unit === undefined) return;
    this.#say(`files of ${shownUnit(name)}`);
    const sizes = new Map<string, number>();
    const packs = unit.files.filter(({ key }) => key.endsWith(".pack") && !key.startsWith(`repos/${unit.id}.git/`));
    const prefixes = [`repos/${unit.id}.git/`, ...packs.map(({ key }) => key.slice(0, -"pack".length))];
    for (const prefix of unit.id === "" ? [] : prefixes) {
      for await (const { key, size } of this.#host.files(prefix)) sizes.set(key, size);
    }
    for (const file of unit.files) await this.#putFile(file, sizes.get(file.key), present);
    for await (const { key, oid, size } of lfsFilesOf(this.#directory.rows(unit))) {
      const listed = await this.#host.file(key);
      await this.#putFile({ key, size, etag: "", sha256: oid }, listed?.size, present);
    }
  }

  async #putFile(file: CopiedFile, there: number | undefined, present: RestoreOptions["present"]): Promise<void> {
    const isDerived = !/^lfs\/|\/objects\/pack\//.test(file.key);
    // The host itself writes derived files anew.
    if (there !== undefined && (isDerived || there === file.size)) return;
    if (there !== undefined && present !== "replace")
      throw new CommandFailure(`${file.key} is in the bucket with another size: --replace replaces it`);
    await this.#host.putFile(file, this.#directory);
    this.#done.files += 1;
  }
}
