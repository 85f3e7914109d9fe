/**
 * Mirrors and their upstreams in a test: thinpack as it is started, and repositories for it to follow, served by C git on loopback.
 *
 * @packageDocumentation
 */
import { type CgiServer, startCgiServer, TEST_SETTINGS } from "./cgi-server.ts";
import { GitSandbox, withToken } from "./git-client.ts";
import { type StartedHost, startProject } from "./git-process.ts";
import { send } from "./git-raw.ts";
import { HostClock } from "./host-clock.ts";
import { WAIT_LIMIT } from "./time-limits.ts";

const TOKEN = "mirror-token";
const UPSTREAM_TOKEN = "upstream-token";

/** What the API says of a repository's maintenance, as far as tests look at it. */
export type MaintenanceState = {
  readonly commit_graph: { readonly layers: number; readonly commits: number; readonly filters: number };
  readonly total: { readonly packs: number; readonly objects: number; readonly bytes: number };
  readonly due: unknown;
  readonly purging: boolean;
  readonly running_since: string | null;
  readonly runs: readonly {
    readonly step: string;
    readonly outcome: string;
    readonly at: string;
    readonly packs: number;
    readonly bytes_written: number;
    readonly error: string | null;
  }[];
};

/** What `GET …/mirror` says. */
export type MirrorState = {
  readonly upstream: string;
  readonly credentials: boolean;
  readonly last_attempt: string | null;
  readonly last_sync: string | null;
  readonly last_change: string | null;
  readonly last_error: string | null;
  readonly left_out: { readonly refs: number; readonly examples: readonly string[]; readonly why: string } | null;
  readonly failures: number;
  readonly next_sync: string | null;
  readonly syncing: boolean;
  readonly bytes: number;
  readonly objects: number;
};

/** An answer of the API. */
export type ApiAnswer<Body = unknown> = { readonly status: number; readonly body: Body };

/** A host with mirrors, and C git for their upstreams. */
export class MirrorBed {
  readonly git = new GitSandbox("mirror");
  #host: StartedHost | undefined;
  #upstreams: CgiServer | undefined;
  #env: Record<string, string> = {};
  #clock: HostClock | undefined;
  #count = 0;

  /** Starts both. */
  async start(env: Record<string, string> = {}): Promise<void> {
    this.#upstreams = await startCgiServer({
      root: this.git.path("upstreams"),
      token: UPSTREAM_TOKEN,
      settings: TEST_SETTINGS,
    });
    this.#env = { ALLOW_PRIVATE_UPSTREAMS: "1", MIRROR_LEAST_INTERVAL: "1", ...env };
    this.#host = await startProject(this.state, TOKEN, this.#env);
  }

  /** Kills the host, and starts it on what that left, with other variables where they are given. */
  async crash(env: Record<string, string> = {}, between: () => Promise<void> = async () => undefined): Promise<void> {
    await this.host.kill();
    await between();
    this.#clock = undefined;
    this.#host = await startProject(this.state, TOKEN, { ...this.#env, ...env });
  }

  /** Stops the host, does something, and starts it again; the upstreams go on. */
  async restart(between: () => void): Promise<void> {
    await this.#host?.stop();
    this.#clock = undefined;
    between();
    this.#host = await startProject(this.state, TOKEN, this.#env);
  }

  /** The directory of the host's state. */
  get state(): string {
    return this.git.path("state");
  }

  async stop(): Promise<void> {
    await this.#host?.stop();
    await this.#upstreams?.close();
    this.git.close();
  }

  /** The clock of the host that runs now. */
  get clock(): HostClock {
    return (this.#clock ??= new HostClock(this.host.base));
  }

  get host(): StartedHost {
    if (this.#host === undefined) throw new Error("the host runs only during tests");
    return this.#host;
  }

  /** The operator's token. */
  readonly token = TOKEN;

  /** Returns how many requests upstreams were sent since they were started: those to the one of this name, where it is given. */
  upstreamRequests(name?: string): number {
    return this.#upstreams?.requests(name === undefined ? "" : `/${name}.git/`) ?? 0;
  }

  /** The origin of the upstreams. */
  get upstreamBase(): string {
    if (this.#upstreams === undefined) throw new Error("the upstreams run only during tests");
    return this.#upstreams.base;
  }

  /** Makes an upstream with what `source` has on its branches and tags. Gives its name, and its directory on disk. */
  async upstream(source?: string): Promise<{ name: string; url: string; pushUrl: string; directory: string }> {
    this.#count += 1;
    const name = `up/repo-${this.#count}`;
    const url = `${this.upstreamBase}/${name}.git`;
    const pushUrl = withToken(url, UPSTREAM_TOKEN);
    const made = await send(withToken(`${this.upstreamBase}/api/v1/repos/${name}`, UPSTREAM_TOKEN), { method: "PUT" });
    if (made.status !== 201) throw new Error(`creating ${name}: ${made.status}`);
    if (source !== undefined) {
      await this.git.ok(["push", "-q", pushUrl, "refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"], {
        cwd: source,
      });
    }
    return { name, url, pushUrl, directory: this.git.path("upstreams", `${name}.git`) };
  }

  /** Asks the API about a repository. */
  async api<Body>(method: string, path: string, body?: object): Promise<ApiAnswer<Body>> {
    const answer = await send(withToken(`${this.host.base}/api/v1/repos/${path}`, TOKEN), {
      method,
      ...(body === undefined
        ? {}
        : { headers: { "Content-Type": "application/json" }, body: Buffer.from(JSON.stringify(body)) }),
    });
    const text = answer.body.toString();
    return { status: answer.status, body: (text === "" ? undefined : JSON.parse(text)) as Body };
  }

  /** Makes a mirror that syncs only when it is told to, and waits for its first sync. Gives its path, `{tenant}/{repo}`. */
  async mirror(upstream: string, settings: object = {}, repository: object = {}): Promise<string> {
    this.#count += 1;
    const path = `acme/mirror-${this.#count}`;
    const made = await this.api("PUT", path, { visibility: "public", ...repository });
    if (made.status !== 201) throw new Error(`creating ${path}: ${made.status}`);
    const login = { username: "mirror", password: UPSTREAM_TOKEN };
    const set = await this.api("PUT", `${path}/mirror`, { upstream, interval: 0, ...login, ...settings });
    if (set.status !== 200) throw new Error(`mirroring: ${set.status} ${JSON.stringify(set.body)}`);
    await this.settled(path);
    return path;
  }

  /** The git URL of a repository of the host, with credentials. */
  url(path: string): string {
    return withToken(`${this.host.base}/${path}.git`, TOKEN);
  }

  /** Waits until no sync is under way or asked for, and gives the state. */
  async settled(path: string): Promise<MirrorState> {
    const end = Date.now() + WAIT_LIMIT;
    for (;;) {
      const { body } = await this.api<MirrorState>("GET", `${path}/mirror`);
      if (!body.syncing) return body;
      if (Date.now() > end) throw new Error(`${path} still syncs: ${JSON.stringify(body)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** What the API says of a repository's maintenance. */
  async maintenance(path: string): Promise<MaintenanceState> {
    const { status, body } = await this.api<MaintenanceState>("GET", `${path}/maintenance`);
    if (status !== 200) throw new Error(`maintenance: ${status}`);
    return body;
  }

  /** Waits until no maintenance is due or under way, and gives the state. */
  async maintained(path: string): Promise<MaintenanceState> {
    const end = Date.now() + WAIT_LIMIT;
    for (;;) {
      const state = await this.maintenance(path);
      if (state.due === null && state.running_since === null && !state.purging) return state;
      if (Date.now() > end) throw new Error(`${path} is still maintained: ${JSON.stringify(state)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Syncs and gives the state after it. */
  async sync(path: string): Promise<MirrorState> {
    const asked = await this.api("POST", `${path}/mirror/sync`);
    if (asked.status !== 202) throw new Error(`sync: ${asked.status}`);
    return await this.settled(path);
  }
}
