/**
 * The one handle that services, mirrors, maintenance and browsing receive: a repository's storage, refs, limits and clock.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../store/catalog.ts";
import type { PackStorage } from "../store/pack-storage.ts";
import type { RefStore } from "../refs/ref-store.ts";
import type { Limits } from "./limits.ts";

/** An open repository, for one request. */
export type Repository = {
  readonly refs: RefStore<PackRecord>;
  /** The bucket prefix of the repository with this id (known only once the refs are open). */
  storage(id: string): PackStorage;
  readonly limits: Limits;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Fresh random bytes, for names. */
  random(length: number): Uint8Array;
};
