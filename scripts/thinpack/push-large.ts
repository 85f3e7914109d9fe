/**
 * Runs `git push` through a {@link PushProxy}.
 *
 * @packageDocumentation
 */
import { resolve } from "node:path";
import { ApiConnection } from "./api-connection.ts";
import { CommandFailure, EXIT } from "./failure.ts";
import { git, gitConfiguration, type GitRun, runGit } from "./git-process.ts";
import { findToken, type HostOptions, parseRepositoryPath } from "./host-choice.ts";
import { PackSpool } from "./pack-spool.ts";
import { PushProxy, type PushTarget } from "./push-proxy.ts";

/** Options of `git push` whose value is the next argument. */
const WITH_VALUE = new Set(["-o", "--push-option", "--repo", "--receive-pack", "--exec", "--recurse-submodules"]);

/** Returns the remote that the arguments of a push name. */
export function remoteOf(args: readonly string[]): string | undefined {
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--") return args[at + 1];
    if (!arg.startsWith("-")) return arg;
    if (WITH_VALUE.has(arg)) at++;
  }
  return undefined;
}

/** Where git runs: a directory, and variables that say more of it. */
type Place = Pick<GitRun, "cwd" | "env">;

async function configured(name: string, place: Place): Promise<string[]> {
  const { stdout } = await runGit(["config", "--get-all", name], place);
  return stdout === "" ? [] : stdout.split("\n");
}

/** Returns the remote that a push without arguments is for. @see git-push(1) */
async function defaultRemote(place: Place): Promise<string> {
  const { stdout: branch } = await runGit(["symbolic-ref", "-q", "--short", "HEAD"], place);
  for (const name of [`branch.${branch}.pushRemote`, "remote.pushDefault", `branch.${branch}.remote`]) {
    const [remote] = await configured(name, place);
    if (remote !== undefined) return remote;
  }
  return "origin";
}

/** Returns the URL of a remote as it is configured, and as git would use it. */
async function urlsOf(remote: string, place: Place): Promise<{ readonly written: string; readonly used: string }> {
  const own = await configured(`remote.${remote}.pushurl`, place);
  const urls = own.length > 0 ? own : await configured(`remote.${remote}.url`, place);
  const [written = remote] = urls;
  if (urls.length > 1) throw new CommandFailure(`${remote} has several URLs: give the one that is meant`, EXIT.usage);
  const used = urls.length === 0 ? remote : await git(["remote", "get-url", "--push", remote], place);
  return { written, used };
}

/** Asks git's own helpers for the password. */
async function askHelpers(url: URL): Promise<string | undefined> {
  const { code, stdout } = await runGit(["credential", "fill"], { input: `url=${url.href}\n\n` });
  return code === 0 ? /^password=(.*)$/m.exec(stdout)?.[1] : undefined;
}

/** Finds out where a push goes. @throws CommandFailure if that is no repository of a host. */
async function targetOf(used: string, options: HostOptions): Promise<PushTarget> {
  if (!URL.canParse(used) || !/^https?:$/.test(new URL(used).protocol)) {
    throw new CommandFailure(`${used} is not the https:// address of a repository`, EXIT.usage);
  }
  const url = new URL(used);
  const { tenant, path } = parseRepositoryPath(decodeURIComponent(url.pathname).replaceAll(/^\/|\/$/g, ""));
  const given = decodeURIComponent(url.password) || undefined;
  const token = given ?? findToken(url.origin, options, tenant) ?? (await askHelpers(url));
  if (token === undefined) {
    throw new CommandFailure(`no token for ${url.origin}: run: thinpack login ${url.origin}`, EXIT.notLetIn);
  }
  const plain = url.origin + url.pathname.replace(/\/$/, "");
  return { api: new ApiConnection({ base: url.origin, token }), url: plain, path };
}

/** The refs to push, and the repository that has them. */
export type LargePush = {
  /** As `git push` takes them. */
  readonly args: readonly string[];
  readonly partBytes: number;
  readonly cwd: string;
  /** Variables for git. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether refs that were pushed well are not mentioned. */
  readonly quiet?: boolean;
};

/** Pushes; returns git's exit code. */
export async function pushLarge(
  { args, partBytes, cwd, env = {}, quiet = false }: LargePush,
  options: HostOptions,
): Promise<number> {
  const place = { cwd, env };
  const remote = remoteOf(args) ?? (await defaultRemote(place));
  const { written, used } = await urlsOf(remote, place);
  const target = await targetOf(used, options);
  const directory = resolve(cwd, await git(["rev-parse", "--git-path", "thinpack-push"], place));
  const proxy = new PushProxy(target, new PackSpool(directory, partBytes));
  const { url, header } = await proxy.start();
  try {
    const settings = gitConfiguration([
      // The whole URL: the longest rule counts.
      [`url.${url}.insteadOf`, written],
      [`http.${new URL(url).origin}/.extraHeader`, header],
      // It is on this machine.
      [`http.${new URL(url).origin}/.proxy`, ""],
    ]);
    const progress = [...(quiet ? ["--quiet"] : []), ...(process.stderr.isTTY ? ["--progress"] : [])];
    const say = (text: string): string => text.replaceAll(url, target.url);
    const { code, stdout } = await runGit(["push", ...progress, ...args], { cwd, env: { ...env, ...settings }, say });
    // Of what is asked for with --porcelain.
    if (stdout !== "") process.stderr.write(`${say(stdout)}\n`);
    if (code !== 0 && proxy.failure !== undefined) throw proxy.failure;
    return code;
  } finally {
    await proxy.stop();
  }
}
