/**
 * Every bound on the resources of one request, in one place. The bounds are parsed from the environment at the edge and
 * passed down.
 *
 * @packageDocumentation
 */

/** Bounds on a repository and on a request. Bytes unless said otherwise. */
export type Limits = {
  /** The largest object that a push may bring. */
  readonly objectBytes: number;
  /** The most bytes to which all objects of a push may inflate. */
  readonly inflatedBytes: number;
  /** A pack up to this size is kept in memory and written in one operation. */
  readonly memoryPackBytes: number;
  /** From this size on, a pack that sets the default branch gets a tip pack: see `packing/tip-pack.ts`. */
  readonly tipPackFromBytes: number;
  /** Commands in a push; refs in a repository. */
  readonly refs: number;
  /** Wants, and haves, in a fetch request. */
  readonly wants: number;
};

/** The bounds that apply if the operator sets none. */
export const DEFAULT_LIMITS: Limits = {
  objectBytes: 2 * 1024 * 1024 * 1024,
  inflatedBytes: 1024 * 1024 * 1024 * 1024,
  memoryPackBytes: 5 * 1024 * 1024,
  tipPackFromBytes: 32 * 1024 * 1024,
  refs: 500_000,
  wants: 200_000,
};
