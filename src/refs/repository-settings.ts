/**
 * The port to a repository's life and settings: what the API does to it, beside its refs.
 *
 * @packageDocumentation
 */
import { contentTag } from "../bytes/content-tag.ts";
import type { RefLogPage, RefLogQuery } from "./ref-log.ts";
import type { RefRule } from "./ref-policy.ts";
import type { FsckSettings } from "./fsck-settings.ts";
import type { CreateRequest, DescribedRepository, Visibility } from "./ref-store.ts";

/** Whether the repository was made now or was there, unchanged; `gone`: it was deleted before it was made. */
export type CreateAnswer =
  | { readonly kind: "created" | "exists"; readonly record: DescribedRepository }
  | { readonly kind: "gone" };

/** The settings that may be changed after creation; what is absent stays. */
export type SettingsChange = {
  readonly visibility?: Visibility;
  /** Full ref name. */
  readonly head?: string;
  readonly description?: string;
  /** Nothing moves any ref of a read-only repository. */
  readonly readOnly?: boolean;
  /** All rules, in place of those there were. */
  readonly rules?: readonly RefRule[];
  /** What is given of it is changed. */
  readonly fsck?: Partial<FsckSettings>;
};

/** Which of the settings that not everybody sees a caller is shown. */
export type SeenSettings = { readonly pushers: boolean; readonly fsck: boolean };

const ALL_SETTINGS: SeenSettings = { pushers: true, fsck: true };

/**
 * Names what the settings of a repository are: the same again where they are changed back, and never another repository's. What the
 * caller is not shown is not in it: else the tag would tell of its changes, and let it be guessed.
 */
export function settingsTag(record: DescribedRepository, seen = ALL_SETTINGS): string {
  const { id, visibility, head, description, readOnly, rules, fsck } = record;
  const shownRules = seen.pushers ? rules : rules.map((rule) => ({ ...rule, pushers: undefined }));
  return contentTag(
    JSON.stringify([id, visibility, head, description, readOnly, shownRules, seen.fsck ? fsck : undefined]),
  );
}

/** One repository's settings. A name that has no repository gives `undefined` or `false`; nothing here throws for that. */
export interface RepositorySettings {
  /** Describes the repository; a private one as if it were missing where the caller may read `publicOnly`, as `OpenRequest` says. */
  describe(publicOnly?: boolean): Promise<DescribedRepository | undefined>;
  create(request: CreateRequest): Promise<CreateAnswer>;
  /** Changes settings; where tags are given, only if one is that of {@link settingsTag} now: `stale` where none is. */
  change(change: SettingsChange, tags?: readonly string[]): Promise<DescribedRepository | "stale" | undefined>;
  /** Gives a page of what pushes moved. */
  refLog(query: RefLogQuery): Promise<RefLogPage | undefined>;
  /** Gives the certificate of a push, by its id in the ref log, as it came. */
  pushCertificate(push: number): Promise<Uint8Array | undefined>;
  /**
   * Ends access at once; the bytes go later. A repository made after this under the same name shares nothing with it. Where an id is
   * given, none with that id is made after this.
   */
  remove(id?: string): Promise<boolean>;
  /**
   * Says that the derived files were written from the snapshot `version` of repository `id`. They are written again where that
   * is no longer the newest: an older writer may have come after a newer one.
   */
  derivedFilesWritten(id: string, version: number): Promise<void>;
  /** Says that nothing is left below the prefix of the deleted repository `id`. */
  prefixDeleted(id: string): Promise<void>;
}
