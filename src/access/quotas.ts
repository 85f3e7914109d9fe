/**
 * Bounds on what a tenant has.
 *
 * @packageDocumentation
 */

/** The most that a tenant may have; what is absent is without bound. */
export type Quotas = {
  readonly repos?: number;
  /** Bytes of all packs and indexes of all its repositories, and of the parts of uploads to them. */
  readonly bytes?: number;
  /** Objects in all its repositories. */
  readonly objects?: number;
  /** Bytes of the largest object that a push, or a mirror's sync, may bring. */
  readonly blobBytes?: number;
};

/** What a tenant's repositories have, or some of them. */
export type Usage = {
  /** Of packs, indexes and parts of uploads. */
  readonly bytes: number;
  readonly objects: number;
};

/** What bounds one repository of a tenant: what all may have, and what the others have as far as they have said. */
export type Allowance = Omit<Quotas, "repos"> & { readonly elsewhere: Usage };

/** What one repository has, as it tells its tenant. */
export type UsageReport = Usage & {
  /** Its name, and which of that name it is. */
  readonly repo: string;
  readonly id: string;
  /** Rises with every change: what comes late does not undo what is newer. */
  readonly version: number;
};
