/**
 * The port to whole objects, for backups: all rows of one, as text, and the way back.
 *
 * The text is lines of JSON: the head, then each table with its statements and its columns, each followed by its rows, then
 * the number of rows.
 *
 * ```text
 * {"format":1,"kind":"repository","version":36}
 * {"table":"refs","statements":["CREATE TABLE …"],"columns":["name","oid","peeled"]}
 * ["refs/heads/main",{"base64":"…"},null]
 * {"rows":1}
 * ```
 *
 * @packageDocumentation
 */

/** The kinds of objects that hold what a backup has to have. */
export const OBJECT_KINDS = ["directory", "tenant", "repository", "lender"] as const;

/** A kind of object. */
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** The version of the text. */
export const COPY_FORMAT = 1;

/** Bytes of one staged piece: a value of a row may have 2,000,000. */
export const PIECE_BYTES = 1024 * 1024;

/** The value of a key's column. */
type KeyValue = string | number | null | Uint8Array;

/** Where the copy of an object goes on. */
export type CopyPlace = {
  /** The state of the object that the earlier pages show. */
  readonly state: string;
  /** The number of the table. */
  readonly table: number;
  /** The key of its last row that was copied; absent if its head comes next. */
  readonly after?: readonly KeyValue[];
  /** The rows that were copied. */
  readonly rows: number;
};

/** A page of a copy. `changed`: the object is not in the state of the earlier pages any more. */
export type CopiedPage =
  | { readonly kind: "missing" | "changed" }
  | { readonly kind: "page"; readonly bytes: Uint8Array; readonly next?: CopyPlace };

/** How a restored copy was taken. `taken`: there is something already; `refused`: it is no copy that this build can take. */
export type InstallAnswer =
  | { readonly kind: "installed"; readonly rows: number }
  | { readonly kind: "taken" }
  | { readonly kind: "refused"; readonly why: string };

/** What a staged copy of a repository says: the repository's id, and the packs that it borrows. */
export type StagedRepository = {
  readonly id: string;
  readonly borrowed: readonly { readonly pack: string; readonly home: string }[];
};

/**
 * What an object knows of the repository with an id. `here`: it is that; `doomed`: it was deleted here, and its files are
 * being deleted; `moved`: it went to another name; `unknown`: nothing.
 */
export type Whereabouts =
  | { readonly kind: "here" | "doomed" | "unknown" }
  | { readonly kind: "moved"; readonly to: string };

/** The answer to a recovery. `unsupported`: the platform here keeps no past. */
export type RecoveryAnswer =
  | { readonly kind: "recovered"; readonly undo: string }
  | { readonly kind: "unsupported" | "refused"; readonly why: string };

/** One object as a whole. */
export interface ObjectCopies {
  /**
   * Returns whether there is a repository, a tenant, or whatever the object is for. A repository that was installed counts
   * only once it is entered: see {@link ObjectCopies.entered}.
   */
  exists(): Promise<boolean>;
  /** Returns the first page of a copy, or the one at `place`. */
  page(place?: CopyPlace): Promise<CopiedPage>;
  /** Takes a piece of a copy that is to be installed. The first, 0, drops those that were staged before. */
  stage(piece: number, bytes: Uint8Array): Promise<void>;
  /** Returns what the staged copy says of its repository; `undefined` if it is no copy of one. */
  staged(): Promise<StagedRepository | undefined>;
  /** Drops what was staged. */
  discard(): Promise<void>;
  /** Returns what a repository's object knows of the repository with this id. */
  whereabouts(id: string): Promise<Whereabouts>;
  /** Returns the ids of the repositories that were renamed away from a repository's object. */
  departed(): Promise<readonly string[]>;
  /**
   * Makes the object what the staged copy says, in one transaction. With `replace` also where there is something. What
   * outlives a repository or a tenant there stays, beside what the copy has of it.
   */
  install(replace: boolean): Promise<InstallAnswer>;
  /** Notes that an installed repository is entered with its tenant and its lenders. */
  entered(): Promise<void>;
  /** Has those of a repository's files deleted in a day that it does not name: see `leaseStrays` of its tables. */
  leaseStrays(names: readonly string[]): Promise<void>;
  /** Puts the object back to the state that it had at `at`, in milliseconds since the epoch. */
  recover(at: number): Promise<RecoveryAnswer>;
}
