/**
 * Where things lie in the bucket.
 *
 * @packageDocumentation
 */
import type { PackFile } from "./pack-storage.ts";

/** Gives the prefix of the repository with this id: a bare repository. */
export function repositoryPrefix(id: string): string {
  return `repos/${id}.git/`;
}

/** Gives what the keys of a pack's files begin with, and of no other pack's. */
export function packPrefix(id: string, pack: string): string {
  return `${repositoryPrefix(id)}objects/pack/pack-${pack}.`;
}

/** Gives the bucket key of a pack's file. */
export function packKey(id: string, file: PackFile): string {
  return packPrefix(id, file.pack) + file.extension;
}
