/**
 * What a merge reads and writes. What it writes can be read again in the same merge.
 *
 * @packageDocumentation
 */
import type { AttributeValue } from "../object/attributes.ts";
import type { TreeEntry } from "./version.ts";

/** Objects, by their names in hexadecimal. */
export type MergeSource = {
  /** The name of the tree without entries. */
  readonly emptyTree: string;
  /** The name of the blob without bytes. */
  readonly emptyBlob: string;
  /** Reads a tree. Modes are those that git takes the stored ones for. */
  readonly readTree: (oid: string) => Promise<readonly TreeEntry[]>;
  /** Reads a blob; `undefined` if it is too large to be held. The bytes stay as they are. */
  readonly readBlob: (oid: string) => Promise<Uint8Array | undefined>;
  readonly sizeOf: (oid: string) => Promise<number>;
  /** Says which objects are to be read, or their sizes. */
  readonly expect: (oids: readonly string[]) => Promise<void>;
  readonly writeBlob: (bytes: Uint8Array) => Promise<string>;
  /** Writes a tree. The entries are in git's order; `like` is the tree of our side at the same path. */
  readonly writeTree: (entries: readonly TreeEntry[], like: string | undefined) => Promise<string>;
  /** Returns the values of `merge` and `conflict-marker-size` for a path. */
  readonly attributesOf: (path: string) => Promise<MergeAttributes>;
  /** Accounts for work, in steps of about 10 ns, and gives way to others. @throws LimitExceeded */
  readonly work: (steps: number) => Promise<void>;
  /** Checks that so much work can be done yet: for what is known to take it. @throws LimitExceeded */
  readonly foresee: (steps: number) => void;
  /** Accounts for bytes that are held from now on; fewer than none are given back. @throws LimitExceeded */
  readonly hold: (bytes: number) => void;
};

/** The attributes that say how a file is merged. */
export type MergeAttributes = { readonly merge: AttributeValue; readonly markerSize: AttributeValue };
