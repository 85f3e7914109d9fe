/**
 * A host whose storage fails as a test has planned it, and whose alarms and jobs go on in turns.
 *
 * @packageDocumentation
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningHost } from "../../scripts/host.ts";
import type { FaultPlan, FaultReport, TurnsReport } from "./fault-plan.ts";
import { GitSandbox, withToken } from "./git-client.ts";
import { startTestHost, type TestHostOptions } from "./host.ts";
import { BUCKET_PATH, FAULTS_PATH, TURNS_PATH, UNFAULTED_HEADER } from "./observed-paths.ts";
import { WAIT_LIMIT } from "./time-limits.ts";

const TOKEN = "test-token";
/** How long a request may take before it counts as hung. Milliseconds. */
const HANGS = 60_000;
const MINUTE = 60_000;

/**
 * How far the clock goes on for what follows an answer, and until the bucket has to be clean: unreachable objects are kept for fourteen
 * days. Milliseconds.
 */
export const SOON = 12 * MINUTE;
export const SWEPT = 16 * 24 * 60 * MINUTE;

/** An answer that came whole. */
export type WholeAnswer = {
  readonly kind: "whole";
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
};

/** What a request came to: an answer, or how its connection ended. */
export type Asked = WholeAnswer | { readonly kind: "broken"; readonly why: string; readonly part: Buffer };

/** The host, git, and the host's storage. */
export class FaultBed {
  readonly git = new GitSandbox("faults");
  readonly host: RunningHost;
  /** The operator's token. */
  readonly token = TOKEN;
  /** What the Worker logged since it was last taken. */
  readonly logged: string[];
  readonly #ends: (() => Promise<void>)[] = [];

  private constructor(host: RunningHost, logged: string[]) {
    this.host = host;
    this.logged = logged;
  }

  /** Starts the host. */
  static async start(options: TestHostOptions = {}): Promise<FaultBed> {
    const here = dirname(fileURLToPath(import.meta.url));
    const logged: string[] = [];
    const host = await startTestHost({
      entry: join(here, "..", "worker", "faults-entry.ts"),
      adminToken: TOKEN,
      publishAfter: "60",
      allowPrivateUpstreams: true,
      leastMirrorInterval: "1",
      mirrorSliceObjects: "150",
      sshPort: 0,
      onLog: (line) => void logged.push(line),
      ...options,
      variables: { SYNCS_BESIDE: "0", ...options.variables },
    });
    return new FaultBed(host, logged);
  }

  /** Has something ended with the host. */
  onStop(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) await end();
    await this.host.stop();
    this.git.close();
  }

  /**
   * Asks the Worker around the host. Where the host has answered a push before all of it had come, it closes that connection, which Node
   * may be about to use again.
   */
  async #control(path: string, init: RequestInit = {}): Promise<Response> {
    const asked = async (): Promise<Response> =>
      await fetch(`${this.host.base}${path}`, { signal: AbortSignal.timeout(WAIT_LIMIT), ...init });
    return await asked().catch(asked);
  }

  /** The git URL of a repository, with credentials. */
  url(path: string): string {
    return withToken(`${this.host.base}/${path}.git`, TOKEN);
  }

  /** Begins to count operations, of which one is to go wrong if there is a plan. */
  async arm(plan?: FaultPlan): Promise<void> {
    const body = JSON.stringify(plan === undefined ? {} : { plan });
    await this.#control(FAULTS_PATH, { method: "POST", body });
  }

  /** Tells what was counted since. */
  async counted(): Promise<FaultReport> {
    const answer = await this.#control(FAULTS_PATH);
    return await answer.json<FaultReport>();
  }

  /** Asks as the operator, and never fails: how a connection ended is an answer, too. */
  async ask(method: string, path: string, body?: Uint8Array | string, headers: object = {}): Promise<Asked> {
    const part: Buffer[] = [];
    try {
      const answer = await fetch(`${this.host.base}${path}`, {
        method,
        headers: { Authorization: `Bearer ${TOKEN}`, ...headers },
        signal: AbortSignal.timeout(HANGS),
        redirect: "manual",
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
      });
      for await (const piece of answer.body ?? []) part.push(Buffer.from(piece));
      return { kind: "whole", status: answer.status, headers: answer.headers, body: Buffer.concat(part) };
    } catch (error) {
      const { name, message, cause } = error as Error;
      return { kind: "broken", why: `${name}: ${message} ${String(cause)}`, part: Buffer.concat(part) };
    }
  }

  /** Asks the API about something, with JSON. */
  async api(method: string, path: string, body?: object, headers: object = {}): Promise<Asked> {
    const json = body === undefined ? headers : { "Content-Type": "application/json", ...headers };
    return await this.ask(method, `/api/v1${path}`, body === undefined ? undefined : JSON.stringify(body), json);
  }

  /** As {@link api}, where nothing may fail. Gives the JSON of the answer. */
  async sure(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await this.api(method, path, body, { [UNFAULTED_HEADER]: "1" });
    if (answer.kind === "broken") throw new Error(`${method} ${path}: ${answer.why}`);
    const text = answer.body.toString();
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  /** Has everything done that is due within some time from now, for which the clock goes on. Returns what was given up. */
  async settle(within = SOON): Promise<readonly string[]> {
    const answer = await this.#control(`${TURNS_PATH}?within=${within}`, { method: "POST" });
    const { lost, isEndless } = await answer.json<TurnsReport>();
    if (isEndless) throw new Error(`there is always something due: ${this.logged.slice(-5).join("\n")}`);
    return lost;
  }

  /** The keys below a prefix, with what the bucket says of their content. */
  async keys(prefix: string): Promise<{ key: string; etag: string }[]> {
    const asked = new URLSearchParams({ prefix }).toString();
    const answer = await this.#control(`${BUCKET_PATH}?${asked}`);
    return await answer.json<{ key: string; etag: string }[]>();
  }

  /** The content of a key. */
  async content(key: string): Promise<Buffer> {
    const asked = new URLSearchParams({ key }).toString();
    return Buffer.from(await (await this.#control(`${BUCKET_PATH}?${asked}`)).arrayBuffer());
  }
}
