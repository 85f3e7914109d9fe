/**
 * The pointer of a mirror: the one small object in the bucket that says that a name is a mirror, who may read it, and which of its
 * snapshots is the newest. Its readers need no Durable Object then.
 *
 * It is written and deleted by the repository's Durable Object alone, one after the other, and deleted before a change of who may read
 * is acknowledged. The bucket is consistent: what is deleted is gone everywhere at once.
 *
 * @packageDocumentation
 */
import type { RepositoryRecord } from "./ref-store.ts";

/** What a pointer says. */
export type MirrorPointer = {
  readonly record: RepositoryRecord;
  readonly version: number;
  /** The value of the branch HEAD points to, hex. */
  readonly headOid?: string;
  /** How many pieces the snapshot of that version has. */
  readonly pieces: number;
};

/** A snapshot that was written, to be pointed to. */
export type WrittenSnapshot = { readonly id: string; readonly version: number; readonly pieces: number };

/** What became of it; `retired` is the version of a snapshot that nobody will be pointed to any more. */
export type PublishAnswer = { readonly published: boolean; readonly retired?: number };

/** Gives the key in the bucket of the pointer of `{tenant}/{repo}`. */
export function mirrorPointerKey(repository: string): string {
  return `mirrors/${repository}`;
}

/** Formats a pointer. */
export function formatPointer(pointer: MirrorPointer): string {
  return JSON.stringify(pointer);
}

/** Parses a pointer; `undefined` where it is of another release. */
export function parsePointer(text: string): MirrorPointer | undefined {
  const json: unknown = JSON.parse(text);
  if (typeof json !== "object" || json === null) return undefined;
  if (!("record" in json && "version" in json && "pieces" in json)) return undefined;
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- written by formatPointer, under a key of nobody else's
  return json as MirrorPointer;
}
