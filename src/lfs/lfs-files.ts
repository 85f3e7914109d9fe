/**
 * The port to the bytes of a tenant's Git LFS objects, and the keys that they have in the bucket.
 *
 * @packageDocumentation
 */
import type { LfsObject } from "../refs/lfs-store.ts";

/** Returns the key of an object of a tenant. The folders keep any one of them from becoming too long to list. */
export function lfsKey(home: string, oid: string): string {
  return `lfs/${home}/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
}

/**
 * How a writing ended. `mismatch`: the bytes have another SHA-256 than their name; `broken`: they did not all come;
 * `slow`: they came too slowly. Only `written` leaves anything.
 */
export type WriteOutcome = "written" | "mismatch" | "broken" | "slow";

/** What a client has to do for one object. */
export type LfsAction = {
  readonly href: string;
  readonly header?: Readonly<Record<string, string>>;
  /** Seconds for which the address is good. */
  readonly expires_in?: number;
};

/** Where an upload goes: the tenant under which the bytes lie, and the id of the repository. */
export type UploadPlace = { readonly home: string; readonly repositoryId: string };

/** Makes addresses at which clients reach the bucket without us. */
export interface LfsPresigner {
  /** The most bytes of an upload. */
  readonly mostBytes: number;
  /** Makes the address of an upload. What is stored there carries the id of the repository that it was uploaded to. */
  upload(object: LfsObject, to: UploadPlace): LfsAction;
  download(oid: string, home: string): LfsAction;
}

/** The parts of an upload to a repository, as they lie in the bucket. */
export type StoredUpload = {
  readonly name: string;
  readonly parts: readonly { readonly number: number; readonly bytes: number }[];
};

/** The bytes of one tenant's objects. */
export interface LfsFiles {
  /** Writes an object as its bytes come. The bucket itself checks their SHA-256. */
  write(object: LfsObject, body: ReadableStream | null): Promise<WriteOutcome>;
  /** Writes an object of the parts of an upload to the repository with this id. The bucket checks their SHA-256. */
  assemble(object: LfsObject, repositoryId: string, upload: StoredUpload): Promise<WriteOutcome>;
  /**
   * Opens a part of an object.
   *
   * @throws CorruptStore if it is not there.
   */
  open(oid: string, range: { readonly offset: number; readonly length: number }): Promise<ReadableStream>;
  /**
   * Whether the bytes of an object were uploaded, without us, to this repository, and are there whole: as many as they
   * have to be, with the SHA-256 that they are named by. The bucket may have checked that; else they are read. Bytes
   * that others have uploaded don't count: they would prove nothing about this uploader.
   */
  holds(object: LfsObject, repositoryId: string): Promise<boolean>;
  /** Deletes objects, whether they are there or not. */
  delete(oids: readonly string[]): Promise<void>;
}
