/**
 * The port to a repository's life and settings: the operations of the API on it, apart from its refs.
 *
 * @packageDocumentation
 */
import { contentTag } from "../bytes/content-tag.ts";
import type { RefLogPage, RefLogQuery } from "./ref-log.ts";
import type { Forward, MoveAnswer } from "./forward.ts";
import type { RefRule } from "./ref-policy.ts";
import type { LfsRules } from "./lfs-rules.ts";
import type { FsckSettings } from "./fsck-settings.ts";
import type { CreateRequest, DescribedRepository, Visibility } from "./ref-store.ts";

/**
 * Whether the repository was made now or existed already, unchanged. `gone`: it was deleted before it was made. `stale`:
 * the packs of the fork that it was to be are not lent to it any more.
 */
export type CreateAnswer =
  | { readonly kind: "created" | "exists"; readonly record: DescribedRepository }
  | { readonly kind: "gone" }
  | { readonly kind: "stale" };

/** The settings that may be changed after creation. Absent members stay as they are. */
export type SettingsChange = {
  /** The name as it is shown, `{tenant}/{repo}`. Only its case may differ from the present name. */
  readonly spelled?: string;
  readonly visibility?: Visibility;
  /** A full ref name. */
  readonly head?: string;
  readonly description?: string;
  /** Whether the repository is read-only: nothing moves any of its refs. */
  readonly readOnly?: boolean;
  /** See `RepositoryRecord`; `null` leaves out none. */
  readonly offloadFrom?: number | null;
  /** See `RepositoryRecord`. */
  readonly hostSigns?: boolean;
  /** See `GracePeriod`. */
  readonly graceDays?: number;
  /** Whether the repository shows what its refs were, within the grace period. */
  readonly showsPast?: boolean;
  /** All rules. They replace the present ones. */
  readonly rules?: readonly RefRule[];
  /** The members to change. Absent ones stay as they are. */
  readonly fsck?: Partial<FsckSettings>;
  /** The rules about Git LFS to change. Absent ones stay as they are. */
  readonly lfs?: Partial<LfsRules>;
};

/** The restricted settings that a caller is shown. */
export type SeenSettings = { readonly pushers: boolean; readonly fsck: boolean };

const ALL_SETTINGS: SeenSettings = { pushers: true, fsck: true };

/**
 * Returns a tag of a repository's settings. Equal settings of one repository have the same tag, also after they are
 * changed back; another repository's tag always differs. The tag leaves out the settings that the caller is not shown.
 * Otherwise it would reveal their changes, and let them be guessed.
 */
export function settingsTag(record: DescribedRepository, seen = ALL_SETTINGS): string {
  const { id, visibility, head, description, readOnly, rules, fsck, lfs, graceDays, pastSince, offloadFrom } = record;
  const { hostSigns } = record;
  const shownRules = seen.pushers ? rules : rules.map((rule) => ({ ...rule, pushers: undefined }));
  const checks = seen.fsck ? [fsck, lfs] : [];
  const settings = [
    id,
    visibility,
    head,
    description,
    readOnly,
    shownRules,
    graceDays,
    pastSince !== undefined,
    offloadFrom,
    hostSigns,
  ];
  return contentTag(JSON.stringify([...settings, ...checks]));
}

/**
 * The settings of one repository. For a name without a repository the methods return `undefined` or `false`; none
 * throws for that.
 */
export interface RepositorySettings {
  /** Describes the repository. With `publicOnly` a private one is answered as if it were missing; see `OpenRequest`. */
  describe(publicOnly?: boolean): Promise<DescribedRepository | undefined>;
  create(request: CreateRequest): Promise<CreateAnswer>;
  /**
   * Changes settings. If tags are given and none of them is the present {@link settingsTag}, returns `stale` and
   * changes nothing.
   */
  change(change: SettingsChange, tags?: readonly string[]): Promise<DescribedRepository | "stale" | undefined>;
  /** Renames the repository to `to`, `{tenant}/{repo}`. Both names' tenants have to be told. */
  move(to: string): Promise<MoveAnswer>;
  /** Returns where the repository went that had this name; `undefined` if there was none, or if another has taken it. */
  forward(): Promise<Forward | undefined>;
  /** Returns a page of the ref log. */
  refLog(query: RefLogQuery): Promise<RefLogPage | undefined>;
  /** Returns the certificate of a push, by its id in the ref log, as it came. */
  pushCertificate(push: number): Promise<Uint8Array | undefined>;
  /**
   * Removes the repository: access ends at once, and the bytes are deleted later. A later repository of the same name
   * shares nothing with it. If an id is given, no repository with that id can be made after this.
   */
  remove(id?: string): Promise<boolean>;
  /**
   * Reports that the derived files were written from the snapshot `version` of repository `id`. If that version is not
   * the newest any more, they are written again: an older writer may have finished after a newer one.
   */
  derivedFilesWritten(id: string, version: number): Promise<void>;
  /** Reports that nothing is left below the prefix of the deleted repository `id`. */
  prefixDeleted(id: string): Promise<void>;
}
