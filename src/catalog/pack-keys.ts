/**
 * The keys of a repository's files in the bucket.
 *
 * @packageDocumentation
 */
import type { PackFile } from "./pack-storage.ts";

/** Returns the key prefix of the repository with this id. Below it lies a bare repository. */
export function repositoryPrefix(id: string): string {
  return `repos/${id}.git/`;
}

/** Returns the prefix of the keys of a pack's files. No other pack's keys begin with it. */
export function packPrefix(id: string, pack: string): string {
  return `${repositoryPrefix(id)}objects/pack/pack-${pack}.`;
}

/** Returns the bucket key of a pack's file. */
export function packKey(id: string, file: PackFile): string {
  return packPrefix(id, file.pack) + file.extension;
}
