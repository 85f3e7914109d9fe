/**
 * What the routes get from the composition root, through Hono's variables: everything of the platform that HTTP needs.
 *
 * @packageDocumentation
 */
import type { Subject } from "../access/decide.ts";
import type { RepositoryName } from "../access/names.ts";
import type { Principal } from "../access/principal.ts";
import type { Repository } from "../repository/repository.ts";
import type { RequestCounts } from "../repository/request-counts.ts";
import type { FormatCache } from "./format-cache.ts";

/** A part of a file: `length` bytes from `offset`. */
export type FileRange = { readonly offset: number; readonly length: number };

/** The files of a bare repository that a dumb client reads and that are made from a snapshot. */
export type PlainFile = "HEAD" | "info/refs" | "objects/info/packs";

/** The platform, for one request. */
export interface Host {
  readonly principal: Principal;
  /** `agent=` and `Server:`, as this host gives them. */
  readonly agent: string;
  readonly formats: FormatCache;
  /** Opens a repository, which need not exist. Nothing is asked before the first call. */
  repository(name: RepositoryName): Repository;
  /** Opens a stored pack's file as a body that goes out untouched. @throws CorruptStore */
  packBody(id: string, pack: string, extension: "pack" | "idx", range: FileRange): Promise<ReadableStream>;
  /**
   * Makes a plain file from one snapshot, in pieces. `admit` is told what was found before anything is made of it, and may throw;
   * it must where there is nothing.
   */
  plainFile(
    name: RepositoryName,
    file: PlainFile,
    admit: (subject: Subject | undefined) => void,
  ): Promise<Iterable<Uint8Array>>;
  counts(): RequestCounts;
  /** Names work that goes on after the response has begun: the request is over, and logged, when it is done. */
  until(work: Promise<unknown>): void;
}

/** The type of Hono's environment in all routes. */
export type HostEnv = { readonly Variables: { readonly host: Host } };
