/**
 * The bounds on the usage of a tenant.
 *
 * @packageDocumentation
 */

/** The maximum of what a tenant may have. An absent quota is unbounded. */
export type Quotas = {
  readonly repos?: number;
  /** Bytes of the packs and indexes of all its repositories, and of the parts of uploads to them. */
  readonly bytes?: number;
  /** Objects in all its repositories. */
  readonly objects?: number;
  /** Bytes of the largest object that a push, or a mirror's sync, may bring. */
  readonly blobBytes?: number;
};

/** The usage of all of a tenant's repositories, or of some. */
export type Usage = {
  /** Bytes of packs, indexes, parts of uploads and Git LFS objects. */
  readonly bytes: number;
  /** Of them, the bytes of Git LFS objects; absent if there are none. */
  readonly lfsBytes?: number;
  readonly objects: number;
};

/** The bounds of one repository of a tenant: the quotas of all, and the usage that the others have reported. */
export type Allowance = Omit<Quotas, "repos"> & { readonly elsewhere: Usage };

/** The usage of one repository, as it reports it to its tenant. */
export type UsageReport = Usage & {
  /** The name of the repository; `id` tells it from others that had the name before. */
  readonly repo: string;
  readonly id: string;
  /** A number that rises with every change, so that a late report does not replace a newer one. */
  readonly version: number;
};
