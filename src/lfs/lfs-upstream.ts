/**
 * The Git LFS server of a mirror's upstream, as a client sees it.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/server-discovery.md
 */
import * as v from "valibot";
import type { LfsObject } from "../refs/lfs-store.ts";
import { isLfsOid, objectFault } from "./batch.ts";
import type { LfsAction } from "./lfs-files.ts";

/** The upstream of one mirror. What fails counts as not there. */
export interface LfsUpstream {
  /**
   * Returns the sizes of those of the objects that the upstream has, by name, as the upstream says them; `undefined` if
   * it did not say.
   */
  offers(objects: readonly LfsObject[]): Promise<ReadonlyMap<string, number> | undefined>;
  /** Opens an object; `undefined` if the upstream does not give it. */
  open(object: LfsObject): Promise<ReadableStream | undefined>;
  /** Returns the most bytes that the mirror may have; `undefined` if that is not bounded. */
  mostBytes(): Promise<number | undefined>;
}

const ANSWER = v.object({
  transfer: v.optional(v.literal("basic")),
  objects: v.array(
    v.object({
      oid: v.string(),
      size: v.number(),
      actions: v.optional(
        v.object({
          download: v.optional(v.object({ href: v.string(), header: v.nullish(v.record(v.string(), v.string())) })),
        }),
      ),
    }),
  ),
});

/** Returns the address of batch requests to an upstream. */
export function batchAddress(upstream: string): string {
  const base = upstream.replace(/\/+$/, "");
  return `${base}${base.endsWith(".git") ? "" : ".git"}/info/lfs/objects/batch`;
}

/** Returns the body of a batch request for downloads. */
export function batchBody(objects: readonly LfsObject[]): string {
  return JSON.stringify({ operation: "download", transfers: ["basic"], hash_algo: "sha256", objects });
}

/** How an upstream gives an object, and the size that it says the object has. */
export type OfferedObject = { readonly size: number; readonly action: LfsAction };

/** Returns the actions by which an upstream gives objects, by name. Whatever else it answers is passed over. */
export function offeredActions(json: unknown): Map<string, OfferedObject> {
  const parsed = v.safeParse(ANSWER, json);
  const actions = new Map<string, OfferedObject>();
  if (!parsed.success) return actions;
  for (const object of parsed.output.objects) {
    const download = object.actions?.download;
    if (download === undefined || !isLfsOid(object.oid) || objectFault(object) !== undefined) continue;
    const action = { href: download.href, header: download.header ?? {} }; // Many need no header.
    actions.set(object.oid, { size: object.size, action });
  }
  return actions;
}
