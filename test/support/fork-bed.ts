/**
 * Repositories and their forks on a host in a test, with the bucket in which their packs lie.
 *
 * @packageDocumentation
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RunningHost } from "../../scripts/host.ts";
import { type ApiClient, apiClient } from "./api-client.ts";
import { GitSandbox, type GitResult, withToken } from "./git-client.ts";
import { HostClock } from "./host-clock.ts";
import { startTestHost, type TestHostOptions } from "./host.ts";
import { WAIT_LIMIT } from "./time-limits.ts";

const TOKEN = "test-token";
const PAUSE = 100;

/** What the API says of a repository's maintenance, as far as tests of forks look at it. */
export type ForkMaintenance = {
  readonly total: { readonly packs: number };
  readonly borrowed: { readonly packs: number };
  readonly unmarked: { readonly packs: number };
  readonly purging: boolean;
  readonly waiting_for_forks: number;
  readonly due: unknown;
  readonly running_since: string | null;
  readonly runs: readonly { readonly error: string | null }[];
};

/** A host, and git. */
export class ForkBed {
  readonly git = new GitSandbox("forks");
  readonly host: RunningHost;
  readonly operator: ApiClient;
  /** The host's clock, where it was started with one. */
  readonly clock: HostClock;

  private constructor(host: RunningHost) {
    this.host = host;
    this.operator = apiClient(host.base, TOKEN);
    this.clock = new HostClock(host.base);
  }

  /** Starts the host. */
  static async start(options: TestHostOptions = {}): Promise<ForkBed> {
    return new ForkBed(await startTestHost(options));
  }

  async stop(): Promise<void> {
    await this.host.stop();
    this.git.close();
  }

  /** The git URL of a repository, with credentials. */
  url(path: string, token = TOKEN): string {
    return withToken(`${this.host.base}/${path}.git`, token);
  }

  /** Makes a repository. Gives its path. */
  async make(path: string, settings: object = {}): Promise<string> {
    const { status, body } = await this.operator("PUT", `/repos/${path}`, settings);
    if (status !== 201) throw new Error(`making ${path}: ${status} ${JSON.stringify(body)}`);
    return path;
  }

  /** Forks a repository. Gives the fork's path. */
  async fork(parent: string, path: string): Promise<string> {
    const [tenant, repo] = path.split("/");
    const { status, body } = await this.operator("POST", `/repos/${parent}/forks`, { tenant, repo });
    if (status !== 201) throw new Error(`forking ${parent}: ${status} ${JSON.stringify(body)}`);
    return path;
  }

  /** Returns what the API shows of a repository. */
  async shown(path: string): Promise<Record<string, unknown>> {
    return (await this.operator("GET", `/repos/${path}`)).body;
  }

  /** Returns the prefix of a repository in the bucket. */
  async prefix(path: string): Promise<string> {
    return `repos/${String((await this.shown(path))["id"])}.git/`;
  }

  /** Clones all refs into a new directory, and has git look at everything. */
  async cloned(path: string, token = TOKEN): Promise<string> {
    const cwd = this.git.fresh("clone");
    await this.git.ok(["clone", "-q", "--mirror", this.url(path, token), cwd]);
    await this.git.fsck(cwd);
    return cwd;
  }

  /** Tries to fetch an object by its name. */
  async fetched(path: string, oid: string): Promise<GitResult> {
    const cwd = await this.git.init("fetch", "--bare");
    return await this.git.git(["fetch", "-q", this.url(path), oid], { cwd });
  }

  /** Waits until no maintenance and no purge is due or under way. */
  async maintained(path: string): Promise<ForkMaintenance> {
    const end = Date.now() + WAIT_LIMIT;
    for (;;) {
      const { body } = await this.operator("GET", `/repos/${path}/maintenance`);
      const state = body as ForkMaintenance;
      if (state.due === null && state.running_since === null && !state.purging) return state;
      if (Date.now() > end) throw new Error(`${path} is still maintained: ${JSON.stringify(state)}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** Purges a repository, and waits for the end of it. */
  async purge(path: string): Promise<ForkMaintenance> {
    const { status } = await this.operator("POST", `/repos/${path}/maintenance`, { purge: true });
    if (status !== 202) throw new Error(`purging ${path}: ${status}`);
    return await this.maintained(path);
  }

  /** The keys in the bucket, or those below a prefix. */
  async keys(prefix = ""): Promise<string[]> {
    const bucket = await this.host.miniflare.getR2Bucket("BUCKET");
    const { objects } = await bucket.list({ prefix });
    return objects.map(({ key }) => key);
  }

  /** Copies the whole bucket into a new directory. */
  async copied(): Promise<string> {
    const bucket = await this.host.miniflare.getR2Bucket("BUCKET");
    const directory = this.git.fresh("bucket");
    for (const key of await this.keys()) {
      const file = await bucket.get(key);
      const target = join(directory, key);
      mkdirSync(dirname(target), { recursive: true });
      if (file !== null) writeFileSync(target, Buffer.from(await file.arrayBuffer()));
    }
    return directory;
  }

  /** Returns the names of all objects in packs in the bucket. */
  async stored(): Promise<Set<string>> {
    const names = new Set<string>();
    const bucket = await this.copied();
    for (const key of await this.keys("repos/")) {
      if (!key.endsWith(".idx")) continue;
      const shown = await this.git.ok(["verify-pack", "-v", key], { cwd: bucket });
      for (const [name] of shown.matchAll(/^[0-9a-f]{40}/gm)) names.add(name);
    }
    return names;
  }

  /** Waits until something holds. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + WAIT_LIMIT;
    while (!(await holds())) {
      if (Date.now() > end) throw new Error(`still not so: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
