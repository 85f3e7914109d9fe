/**
 * Steps that only this host has: readers with tokens of a tenant, and mirrors.
 *
 * @packageDocumentation
 */
import { createHmac } from "node:crypto";
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { withToken } from "../../test/support/git-client.ts";
import { startCGit } from "./hosts.ts";
import { addCommits } from "./repositories.ts";
import { LONG, type Measuring } from "./steps.ts";

export const TOKEN_LIST = "ls-remote, a tenant's token";
export const SYNC = "first sync of a mirror";
export const MIRROR_CLONE = "clone of a public mirror";
export const WEBHOOK = "webhook to visible commit";

const SECRET = "a secret of the benchmark";

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

  /** Makes a public mirror of the repository, with C git's server upstream, clones it without credentials, and pushes upstream. */
  async mirror(): Promise<void> {
    const { git, repository, subject } = this.#on;
    const root = git.path("upstreams");
    const link = join(root, `${repository}.git`);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(subject.directory, link);
    const server = await startCGit(root);
    try {
      const mirror = `${repository}-mirror`;
      const login = { username: "bench", password: server.token };
      await this.#sync(mirror, { upstream: `${server.base}/${repository}.git`, ...login });
      await this.#webhook(mirror);
    } finally {
      await server.close();
    }
  }

  /** Makes the mirror, and clones it. */
  async #sync(mirror: string, upstream: object): Promise<void> {
    const { git, host, subject } = this.#on;
    await this.#ask("PUT", `repos/${mirror}`, { visibility: "public", object_format: subject.format.name });
    await this.#on.step(SYNC, async () => {
      await this.#ask("PUT", `repos/${mirror}/mirror`, { ...upstream, interval: 0, hook_secret: SECRET });
      for (;;) {
        const { syncing, last_error: wrong } = await this.#ask("GET", `repos/${mirror}/mirror`);
        if (syncing === false && wrong === null) break;
        if (syncing === false) throw new Error(`${host.name}: the sync failed: ${String(wrong)}`);
        await pause(200);
      }
    });
    const remote = `${host.base}/${mirror}.git`;
    // The snapshot is written after the sync.
    await git.ok(["ls-remote", remote]);
    const cwd = git.fresh("mirror");
    await this.#on.step(MIRROR_CLONE, async () => {
      await git.ok(["clone", "-q", "--mirror", remote, cwd], { timeout: LONG });
    });
    await this.#on.verify(cwd);
  }

  /** Adds a commit upstream, says so as its host would, and waits until readers see it. */
  async #webhook(mirror: string): Promise<void> {
    const { git, host, subject } = this.#on;
    const { directory: cwd, branch } = subject;
    const tip = await addCommits(git, { cwd, branch, first: 30_000, count: 1 });
    const body = JSON.stringify({ ref: branch });
    const hmac = createHmac("sha256", SECRET).update(body).digest("hex");
    await this.#on.step(WEBHOOK, async () => {
      const url = `${host.base}/api/v1/repos/${mirror}/mirror/hook`;
      const headers = { "X-GitHub-Event": "push", "X-Hub-Signature-256": `sha256=${hmac}` };
      const { status } = await fetch(url, { method: "POST", headers, body });
      if (status !== 202) throw new Error(`${host.name}: the webhook's answer was ${status}`);
      while (!(await git.ok(["ls-remote", `${host.base}/${mirror}.git`, branch])).includes(tip)) await pause(50);
    });
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
