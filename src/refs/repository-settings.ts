/**
 * The port to a repository's life and settings: what the API does to it, beside its refs.
 *
 * @packageDocumentation
 */
import type { RefLogPage, RefLogQuery } from "./ref-log.ts";
import type { RefRule } from "./ref-policy.ts";
import type { CreateRequest, RepositoryRecord, Visibility } from "./ref-store.ts";

/** Whether the repository was made now or was there, unchanged. */
export type CreateAnswer = { readonly kind: "created" | "exists"; readonly record: RepositoryRecord };

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
};

/** One repository's settings. A name that has no repository gives `undefined` or `false`; nothing here throws for that. */
export interface RepositorySettings {
  describe(): Promise<RepositoryRecord | undefined>;
  create(request: CreateRequest): Promise<CreateAnswer>;
  change(change: SettingsChange): Promise<RepositoryRecord | undefined>;
  /** Gives a page of what pushes moved. */
  refLog(query: RefLogQuery): Promise<RefLogPage | undefined>;
  /** Gives the certificate of a push, by its id in the ref log, as it came. */
  pushCertificate(push: number): Promise<Uint8Array | undefined>;
  /** Ends access at once; the bytes go later. A repository made after this under the same name shares nothing with it. */
  remove(): Promise<boolean>;
  /**
   * Says that the derived files were written from the snapshot `version` of repository `id`. They are written again where that
   * is no longer the newest: an older writer may have come after a newer one.
   */
  derivedFilesWritten(id: string, version: number): Promise<void>;
  /** Says that nothing is left below the prefix of the deleted repository `id`. */
  prefixDeleted(id: string): Promise<void>;
}
