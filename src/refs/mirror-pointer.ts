/**
 * The pointer of a mirror: one small object in the bucket. It says that a name is a mirror, who may read it, and which
 * of its snapshots is the newest. Readers therefore need no Durable Object.
 *
 * Only the repository's Durable Object writes and deletes it, one operation after the other. The pointer is deleted before
 * a change of the repository's readers is acknowledged. The bucket is consistent: a deleted object is gone everywhere at
 * once.
 *
 * @packageDocumentation
 */
import type { RepositoryRecord } from "./ref-store.ts";

/** The content of a pointer. */
export type MirrorPointer = {
  readonly record: RepositoryRecord;
  readonly version: number;
  /** The value of the branch that HEAD points to, in hexadecimal. */
  readonly headOid?: string;
  /** The number of pieces of that version's snapshot. */
  readonly pieces: number;
};

/** A snapshot that was written and may be pointed to. */
export type WrittenSnapshot = { readonly id: string; readonly version: number; readonly pieces: number };

/** The result of publishing; `retired` is the version of a snapshot to which no reader will be pointed any more. */
export type PublishAnswer = { readonly published: boolean; readonly retired?: number };

/** Returns the key in the bucket of the pointer of `{tenant}/{repo}`. */
export function mirrorPointerKey(repository: string): string {
  return `mirrors/${repository}`;
}

/** Formats a pointer. */
export function formatPointer(pointer: MirrorPointer): string {
  return JSON.stringify(pointer);
}

/** Parses a pointer; `undefined` if another release wrote it. */
export function parsePointer(text: string): MirrorPointer | undefined {
  const json: unknown = JSON.parse(text);
  if (typeof json !== "object" || json === null) return undefined;
  if (!("record" in json && "version" in json && "pieces" in json)) return undefined;
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- written by formatPointer, under a key of nobody else's
  return json as MirrorPointer;
}
