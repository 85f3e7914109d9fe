/**
 * What hostile inputs are sent with: repositories that are made for them, requests, and what came of each.
 *
 * @packageDocumentation
 */
import type { GitSandbox } from "../../test/support/git-client.ts";
import { withToken } from "../../test/support/git-client.ts";
import { post, pushBody } from "../../test/support/git-raw.ts";
import type { HostilePack } from "../../test/support/hostile.ts";

/** What came of an input. */
export type Sent = {
  /** The status of the answer; 0 where the connection was closed without one, or where it is not known of one that broke off. */
  readonly status: number;
  /** The seconds after which the client may try again, if the answer says so. */
  readonly retryAfter?: string;
  /** What else is told of the answer. */
  readonly told: string;
  /** Whether the answer broke off after it had begun. */
  readonly isBrokenOff?: boolean;
};

/** One input. */
export type HostileInput = {
  readonly name: string;
  /** Sends it. It may be sent any number of times, also several times at once. */
  readonly send: () => Promise<Sent>;
  /** Whether a limit has its answer break off: see "Work" in `docs/limits.md`. */
  readonly mayBreakOff?: boolean;
  /** What is done before it is measured by itself. */
  readonly before?: () => Promise<void>;
  /** How often it is sent where it is measured by itself; the cheapest time counts. */
  readonly times?: number;
};

/** A host that inputs are sent to. */
export type HostileTarget = { readonly base: string; readonly token: string; readonly sshPort?: number };

/**
 * Each request has a connection of its own. While packs are made, this process does not see that the host has closed a connection on
 * which nothing was said, and would ask on that one.
 */
const OWN_CONNECTION = { Connection: "close" };
const TENANT = "hostile";
const SHOWN = 60;

/** Repositories for inputs on one host, and requests to it. */
export class HostileBed {
  readonly git: GitSandbox;
  readonly target: HostileTarget;
  readonly #part: number;
  #made = 0;

  /** `part` is the size of everything, as a part of the full one. */
  constructor(git: GitSandbox, target: HostileTarget, part = 1) {
    this.git = git;
    this.target = target;
    this.#part = part;
  }

  /** Returns a number of things as large as this bed has it. */
  size(full: number): number {
    return Math.max(1, Math.round(full * this.#part));
  }

  /** Returns the address of a repository for git, with credentials. */
  remote(path: string): string {
    return withToken(`${this.target.base}/${path}.git`, this.target.token);
  }

  /** Makes a public repository, and returns its path. Its name begins with `name`. */
  async make(name: string): Promise<string> {
    const path = `${TENANT}/${name}-${this.#made++}`;
    const { status, told } = await this.ask("PUT", `/api/v1/repos/${path}`, { visibility: "public" });
    if (status !== 201) throw new Error(`${path} was not made: ${status} ${told}`);
    return path;
  }

  /** Pushes a pack with some refs. */
  async push(path: string, refs: Readonly<Record<string, string>>, pack: Uint8Array): Promise<Sent> {
    const commands = Object.entries(refs).map(([name, oid]) => ({ name, new: oid }));
    const { body, told, ...answer } = await sendToGit(this.remote(path), "receive-pack", pushBody(commands, pack));
    return { ...answer, told: `${pack.length.toLocaleString("en-US")} bytes sent: ${told}${firstLine(body)}` };
  }

  /** Makes a repository with a pack on its main branch, and returns its path. */
  async plant(name: string, { pack, tip }: Pick<HostilePack, "pack" | "tip">): Promise<string> {
    const path = await this.make(name);
    const { told } = await this.push(path, { "refs/heads/main": tip }, pack);
    if (!told.includes("unpack ok")) throw new Error(`${path} was not pushed: ${told}`);
    return path;
  }

  /** Asks for an address, and reads the answer to its end. A string or bytes are a body of the type of `type`. */
  async ask(method: string, address: string, body?: object | string, type = "application/json"): Promise<Sent> {
    const isText = typeof body === "string" || body instanceof Uint8Array;
    const headers = { Authorization: `Bearer ${this.target.token}`, "Content-Type": type, ...OWN_CONNECTION };
    const content = body === undefined ? {} : { body: isText ? body : JSON.stringify(body) };
    const answer = await fetch(this.target.base + address, { method, headers, ...content });
    let bytes = 0;
    let beginning = "";
    try {
      for await (const piece of answer.body ?? []) {
        bytes += piece.length;
        if (beginning.length < SHOWN) beginning += Buffer.from(piece).toString("latin1");
      }
    } catch {
      const told = `broken off after ${bytes.toLocaleString("en-US")} bytes`;
      return { ...sent(answer.status, answer.headers, told), isBrokenOff: true };
    }
    const told = answer.ok ? "" : `: ${beginning.replaceAll(/[^ -~]/g, "").slice(0, SHOWN)}`;
    return sent(answer.status, answer.headers, `${bytes.toLocaleString("en-US")} bytes${told}`);
  }

  /** Asks the API for something of a repository. */
  async get(path: string): Promise<Sent> {
    return await this.ask("GET", `/api/v1/repos/${path}`);
  }
}

/** Sends a request to one of git's services. */
export async function sendToGit(
  ...[remote, service, sentBody, more]: Parameters<typeof post>
): Promise<Sent & { readonly body: Buffer }> {
  try {
    const { status, headers, body } = await post(remote, service, sentBody, { ...more, ...OWN_CONNECTION });
    return { ...sent(status, headers, ""), body };
  } catch (error) {
    if (!(error instanceof TypeError) || error.message !== "terminated") throw error;
    return { status: 0, told: "broken off", isBrokenOff: true, body: Buffer.alloc(0) };
  }
}

/** Returns what came of a request. */
export function sent(status: number, headers: Headers, told: string): Sent {
  const retryAfter = headers.get("Retry-After");
  return { status, told, ...(retryAfter === null ? {} : { retryAfter }) };
}

/** Returns the beginning of an answer's first line, without its length. */
export function firstLine(body: Buffer): string {
  const line = body.subarray(4, 44).toString("latin1").split("\n")[0] ?? ""; // It may be empty.
  return line.replaceAll(/[^ -~]/g, "").slice(0, 40);
}

/**
 * Returns what is wrong with an answer, if it is none that a limit defines: a client's mistake is never a 5xx, and never
 * closes a connection. A host that is busy says when to come again. An answer breaks off only where a limit of the input says so.
 */
export function faultOf(
  { mayBreakOff = false }: Pick<HostileInput, "mayBreakOff">,
  { status, retryAfter, told, isBrokenOff = false }: Sent,
): string | undefined {
  if (isBrokenOff) return mayBreakOff ? undefined : `${status} ${told}`;
  if (status === 503 && retryAfter !== undefined) return undefined;
  return status === 0 || status >= 500 ? `${status} ${told}` : undefined;
}

/** Sends an input once. A connection that ends without an answer is one of status 0. */
export async function sendOnce({ send }: HostileInput): Promise<Sent> {
  try {
    return await send();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : "";
    return { status: 0, told: `failed: ${String(error).slice(0, 100)}${cause.slice(0, 100)}` };
  }
}
