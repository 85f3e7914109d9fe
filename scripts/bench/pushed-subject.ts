/**
 * A repository of the benchmark that was pushed whole, and has had its maintenance.
 *
 * @packageDocumentation
 */
import { setTimeout as pause } from "node:timers/promises";
import { type GitSandbox, withToken } from "../../test/support/git-client.ts";
import type { Host } from "./hosts.ts";
import { LONG } from "./steps.ts";

/** Its path on the host. */
export const SUBJECT = "bench/subject";

/** Milliseconds between two looks at its maintenance. */
const LOOK = 1000;

/**
 * Asks the API.
 *
 * @throws Error where it refuses.
 */
export async function askApi(host: Host, method: string, path: string, body?: object): Promise<Response> {
  const answer = await fetch(`${host.base}/api/v1/${path}`, {
    method,
    headers: { Authorization: `Bearer ${host.token}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/** Returns the branch of HEAD of a repository on disk. */
export async function branchOfHead(git: GitSandbox, directory: string): Promise<string> {
  return (await git.ok(["symbolic-ref", "HEAD"], { cwd: directory })).replace("refs/heads/", "");
}

/** Pushes the branches and tags of a bare repository, and waits until no maintenance is due, and none runs. */
export async function pushSubject(
  git: GitSandbox,
  host: Host,
  directory: string,
  settings: object = {},
): Promise<void> {
  const branch = await branchOfHead(git, directory);
  await askApi(host, "PUT", `repos/${SUBJECT}`, { default_branch: branch, ...settings });
  const remote = withToken(`${host.base}/${SUBJECT}.git`, host.token);
  const refs = ["refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"];
  await git.ok(["push", "-q", remote, ...refs], { cwd: directory, timeout: LONG });
  for (;;) {
    await pause(LOOK);
    const answer = await askApi(host, "GET", `repos/${SUBJECT}/maintenance`);
    const { due, running_since: running }: Record<string, unknown> = Object(await answer.json());
    if (due === null && running === null) return;
  }
}
