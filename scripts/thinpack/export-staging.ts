/**
 * Makes a copy in a temporary directory beside the target. It becomes the target at the end, when it is whole.
 *
 * @packageDocumentation
 */
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CommandFailure } from "./failure.ts";
import { endingWith } from "./interruption.ts";

/** Refuses a target as git-clone(1) does. */
function taken(directory: string): CommandFailure {
  return new CommandFailure(`fatal: destination path '${directory}' already exists and is not an empty directory.`);
}

function isEmptyDirectory(path: string): boolean {
  return statSync(path).isDirectory() && readdirSync(path).length === 0;
}

/**
 * Moves all of `from` into the empty directory `to`, which may be somebody's working directory. `HEAD`, by which git
 * knows a repository, comes last.
 */
function moveInto(from: string, to: string): void {
  const names = readdirSync(from).toSorted((a, b) => Number(a === "HEAD") - Number(b === "HEAD"));
  for (const name of names) renameSync(join(from, name), join(to, name));
}

function publish(staging: string, target: string, directory: string): void {
  try {
    renameSync(staging, target);
  } catch (cause) {
    if (statSync(target, { throwIfNoEntry: false }) === undefined) throw cause;
    throw taken(directory);
  }
}

/**
 * Has `work` fill a temporary directory, which becomes `directory`. If it fails or is interrupted, nothing is left.
 *
 * @throws CommandFailure in git's words if the directory is not empty
 */
export async function intoNewDirectory<T>(directory: string, work: (staging: string) => Promise<T>): Promise<T> {
  const named = resolve(directory);
  const isThere = statSync(named, { throwIfNoEntry: false }) !== undefined;
  const target = isThere ? realpathSync(named) : named;
  if (isThere && !isEmptyDirectory(target)) throw taken(directory);
  // Below an empty directory and not beside it: that may be another file system, or not the user's to write to.
  const parent = isThere ? target : dirname(target);
  mkdirSync(parent, { recursive: true });
  const staging = mkdtempSync(join(parent, `.${isThere ? "" : basename(target)}.export-`));
  return await endingWith(
    () => rmSync(staging, { recursive: true, force: true }),
    async () => {
      const result = await work(staging);
      if (!isThere) publish(staging, target, directory);
      else if (readdirSync(target).length > 1) throw taken(directory);
      else moveInto(staging, target);
      return result;
    },
  );
}
