/**
 * Bounds on what a tenant has.
 *
 * @packageDocumentation
 */

/** The most that a tenant may have; what is absent is without bound. */
export type Quotas = {
  readonly repos?: number;
  /** Bytes of all packs and indexes of a repository. */
  readonly bytes?: number;
  /** Objects in a repository. */
  readonly objects?: number;
  /** Bytes of the largest object that a push may bring. */
  readonly blobBytes?: number;
};
