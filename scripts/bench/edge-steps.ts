/**
 * Steps that only this host has: readers with tokens of a tenant, and mirrors.
 *
 * @packageDocumentation
 */
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { withToken } from "../../test/support/git-client.ts";
import { startCGit } from "./hosts.ts";
import { LONG, type Measuring } from "./steps.ts";

export const TOKEN_LIST = "ls-remote, a tenant's token";
export const SYNC = "first sync of a mirror";
export const MIRROR_CLONE = "clone of a public mirror";

/** Takes these steps. */
export class EdgeSteps {
  readonly #on: Measuring;

  constructor(measuring: Measuring) {
    this.#on = measuring;
  }

  /** Lists refs with a token that may read. */
  async tokenList(): Promise<void> {
    const { git, host, repository } = this.#on;
    const [tenant = ""] = repository.split("/");
    const issued = await this.#ask("POST", `tenants/${tenant}/tokens`, { name: "bench", scopes: ["repo:read"] });
    const remote = withToken(`${host.base}/${repository}.git`, String(issued["token"]));
    await this.#on.step(TOKEN_LIST, async () => {
      await git.ok(["ls-remote", remote]);
    });
  }

  /** Makes a public mirror of the repository, with C git's server upstream, and clones it without credentials. */
  async mirror(): Promise<void> {
    const { git, host, repository, subject } = this.#on;
    const mirror = `${repository}-mirror`;
    const root = git.path("upstreams");
    const link = join(root, `${repository}.git`);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(subject.directory, link);
    const server = await startCGit(root);
    const login = { username: "bench", password: server.token };
    const upstream = `${server.base}/${repository}.git`;
    await this.#ask("PUT", `repos/${mirror}`, { visibility: "public", object_format: subject.format.name });
    await this.#on.step(SYNC, async () => {
      await this.#ask("PUT", `repos/${mirror}/mirror`, { upstream, interval: 0, ...login });
      for (;;) {
        const { syncing, last_error: wrong } = await this.#ask("GET", `repos/${mirror}/mirror`);
        if (syncing === false && wrong === null) break;
        if (syncing === false) throw new Error(`${host.name}: the sync failed: ${String(wrong)}`);
        await pause(200);
      }
    });
    await server.close();
    const remote = `${host.base}/${mirror}.git`;
    // The snapshot is written after the sync.
    await git.ok(["ls-remote", remote]);
    const cwd = git.fresh("mirror");
    await this.#on.step(MIRROR_CLONE, async () => {
      await git.ok(["clone", "-q", "--mirror", remote, cwd], { timeout: LONG });
    });
    await this.#on.verify(cwd);
  }

  async #ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const { host } = this.#on;
    const answer = await fetch(`${host.base}/api/v1/${path}`, {
      method,
      headers: { Authorization: `Bearer ${host.token}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${host.name}: ${method} ${path}: ${answer.status} ${text}`);
    return Object(JSON.parse(text));
  }
}
