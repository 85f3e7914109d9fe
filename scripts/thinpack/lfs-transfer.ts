/**
 * Moves Git LFS objects with the client of this machine, `git lfs`, between a bare repository and a server.
 *
 * @packageDocumentation
 */
import { CommandFailure } from "./failure.ts";
import { gitConfiguration, inBare, runGit } from "./git-process.ts";
import { helperLine } from "./login-commands.ts";

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
function environmentFor(remote: LfsRemote): Record<string, string> {
  const helper = `credential.${remote.base}.helper`;
  const url = `${remoteUrl(remote)}/info/lfs`;
  return {
    ...gitConfiguration([
      [helper, ""],
      [helper, helperLine()],
      ["lfs.url", url],
      ["lfs.pushurl", url],
      ["lfs.allowincompletepush", "true"],
    ]),
    THINPACK_BASE: remote.base,
    THINPACK_TOKEN: remote.token,
  };
}

/** Whether an attribute of some branch or tag makes files Git LFS objects. */
async function usesLfs(cwd: string): Promise<boolean> {
  const { stdout } = await runGit(["for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags"], inBare(cwd));
  for (const ref of stdout === "" ? [] : stdout.split("\n")) {
    const args = ["grep", "-q", "filter=lfs", ref, "--", ":(glob)**/.gitattributes"];
    if ((await runGit(args, inBare(cwd))).code === 0) return true;
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

/** Fetches all objects that a bare clone's own remote has. Returns whether none was missing. */
export async function fetchFromSource(cwd: string): Promise<boolean> {
  return await lfs(["fetch", "--all", "origin"], cwd);
}

/** Fetches all objects that a repository on a host has. Returns whether none was missing. */
export async function fetchFromHost(cwd: string, remote: LfsRemote): Promise<boolean> {
  return await lfs(["fetch", "--all", remoteUrl(remote)], cwd, environmentFor(remote));
}

/**
 * Pushes all objects that are here to a repository on a host. Those that are missing here are left out.
 *
 * @throws CommandFailure
 */
export async function pushToHost(cwd: string, remote: LfsRemote): Promise<void> {
  if (await lfs(["push", "--all", remoteUrl(remote)], cwd, environmentFor(remote))) return;
  throw new CommandFailure(`${remote.name} did not take all Git LFS objects`);
}
