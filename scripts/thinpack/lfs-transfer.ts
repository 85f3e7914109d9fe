/**
 * Moves Git LFS objects with the client of this machine, `git lfs`, between a bare repository and a server.
 *
 * @packageDocumentation
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { CommandFailure } from "./failure.ts";
import { gitConfiguration, inBare, runGit } from "./git-process.ts";
import { helperLine } from "./login-commands.ts";

/** The most bytes of names that one run of git is given: they have to fit into a command line, which Windows bounds by 32 KiB. */
const BYTES_PER_RUN = 24_000;

/**
 * Has Git LFS keep objects in the bare repository itself. People set another place for all of theirs: there a copy would lack its
 * objects, and those of other repositories would be taken for its own.
 *
 * @see git-lfs-config(5), `lfs.storage`
 */
const KEPT_HERE = ["lfs.storage", "lfs"] as const;

/** A repository on a host, and the token for it. */
export type LfsRemote = { readonly base: string; readonly token: string; readonly name: string };

/** Returns the address that git knows a repository by. */
export function remoteUrl({ base, name }: Pick<LfsRemote, "base" | "name">): string {
  const path = name
    .replace(/\.git$/, "")
    .split("/")
    .map(encodeURIComponent)
    .join("/");
  return `${base}/${path}.git`;
}

/**
 * Returns the environment in which git asks this command for the token of a host, and Git LFS this host for objects,
 * whatever a file in the repository says.
 */
function environmentFor(
  remote: LfsRemote,
  settings: readonly (readonly [string, string])[] = [],
): Record<string, string> {
  const helper = `credential.${remote.base}.helper`;
  const url = `${remoteUrl(remote)}/info/lfs`;
  return {
    ...gitConfiguration([
      [helper, ""],
      [helper, helperLine()],
      ["lfs.url", url],
      ["lfs.pushurl", url],
      ["lfs.allowincompletepush", "true"],
      ...settings,
    ]),
    THINPACK_BASE: remote.base,
    THINPACK_TOKEN: remote.token,
  };
}

/** Cuts names into as many as one run of git is given. */
function inRuns(names: readonly string[]): readonly (readonly string[])[] {
  const runs: string[][] = [];
  let left = 0;
  for (const name of names) {
    const bytes = Buffer.byteLength(name) + 1;
    if (left < bytes) {
      runs.push([]);
      left = BYTES_PER_RUN;
    }
    left -= bytes;
    runs.at(-1)?.push(name);
  }
  return runs;
}

/** Whether an attribute of some branch or tag makes files Git LFS objects. @throws CommandFailure if git can't tell. */
async function usesLfs(cwd: string): Promise<boolean> {
  const { stdout } = await runGit(["for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags"], inBare(cwd));
  for (const refs of inRuns(stdout === "" ? [] : stdout.split("\n"))) {
    const args = ["grep", "-q", "filter=lfs", ...refs, "--", ":(glob)**/.gitattributes"];
    const { code, stderr } = await runGit(args, inBare(cwd));
    if (code === 0) return true;
    // 1: there is none.
    if (code !== 1) throw new CommandFailure(`git grep: ${stderr.trim()}`);
  }
  return false;
}

/**
 * Whether there may be Git LFS objects to be moved.
 *
 * @throws CommandFailure if there are, and the client for them is not installed.
 */
export async function mayHaveLfs(cwd: string): Promise<boolean> {
  if ((await runGit(["lfs", "version"], { cwd })).code === 0) return true;
  if (!(await usesLfs(cwd))) return false;
  throw new CommandFailure("this repository has Git LFS files: install git-lfs, or leave them out with --no-lfs");
}

async function lfs(args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<boolean> {
  const bare = inBare(cwd);
  const { code, stdout } = await runGit(["lfs", ...args], {
    ...bare,
    env: { ...bare.env, ...env },
    say: (text) => text,
  });
  if (stdout !== "" && process.stderr.isTTY) console.error(stdout);
  return code === 0;
}

/** Fetches all objects that a bare clone's own remote has, into the clone. Returns whether none was missing. */
export async function fetchFromSource(cwd: string): Promise<boolean> {
  return await lfs(["fetch", "--all", "origin"], cwd, gitConfiguration([KEPT_HERE]));
}

/**
 * Fetches all objects that a repository on a host has; with `here` into a bare repository that this command has made, else to where
 * its user keeps them. Returns whether none was missing.
 */
export async function fetchFromHost(cwd: string, remote: LfsRemote, { here = false } = {}): Promise<boolean> {
  return await lfs(["fetch", "--all", remoteUrl(remote)], cwd, environmentFor(remote, here ? [KEPT_HERE] : []));
}

/** Lists the objects that {@link fetchFromSource} brought. */
function fetchedObjects(cwd: string): readonly string[] {
  const entries = readdirSync(join(cwd, "lfs"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name)).map(({ name }) => name);
}

/**
 * Pushes all objects that were fetched to a repository on a host. They are named one by one: with `--all` Git LFS would walk the whole
 * history again for each ref.
 *
 * @see git-lfs-push(1)
 * @throws CommandFailure
 */
export async function pushToHost(cwd: string, remote: LfsRemote): Promise<void> {
  const env = environmentFor(remote, [KEPT_HERE]);
  for (const objects of inRuns(fetchedObjects(cwd))) {
    if (await lfs(["push", "--object-id", remoteUrl(remote), ...objects], cwd, env)) continue;
    throw new CommandFailure(`${remote.name} did not take all Git LFS objects`);
  }
}
