/**
 * The log: one JSON object per line, so that figures can be read back.
 *
 * @packageDocumentation
 */
import { CorruptStore, LimitExceeded, MissingObject } from "../bytes/failure.ts";
import type { PathNames } from "../access/path-names.ts";
import type { ClientNote, Served } from "../service/exchange.ts";
import type { RequestCounts } from "../repository/request-counts.ts";

/** Characters of a client's own description that a log line repeats. */
const SHOWN = 200;

/** The part of a client's own description that a log line contains. */
export type LoggedNote = { readonly client_sid?: string; readonly server_options?: string };

/** Makes a client's own description fit for the log: short, printable, on one line. */
export function logged({ sessionId, serverOptions = [] }: ClientNote): LoggedNote {
  return {
    ...(sessionId === undefined ? {} : { client_sid: printable(sessionId) }),
    ...(serverOptions.length === 0 ? {} : { server_options: printable(serverOptions.join(" ")) }),
  };
}

/** Makes a client's text fit for a log line. */
export function printable(text: string): string {
  return text.slice(0, SHOWN).replaceAll(/[^\x20-\x7e]/g, "?");
}

/**
 * How a request ended. `denied`: the caller may not do this; `refused`: the request was wrong; `rejected`: a push moved
 * no ref; `gone`: the client went away; `broken`: the answer broke off; `failed`: the host is at fault.
 */
export type Outcome = "ok" | "denied" | "refused" | "rejected" | "gone" | "broken" | "failed";

/** The log line of a request, written once its answer has gone out. */
export type RequestLine = RequestCounts &
  LoggedNote &
  PathNames & {
    /** When the request came, in ISO 8601. */
    readonly at: string;
    /** The caller, as the ref log names it: `token:` and the token's id, or `operator`, `anonymous`, `invalid`. */
    readonly principal: string;
    /** The client's own name for itself, such as `git/2.39.5`. */
    readonly client: string;
    readonly operation: Served | "api" | "git" | "lfs";
    readonly outcome: Outcome;
    /** Why the host broke the answer off, if it did: what its limits say of the client, or that there is no room. */
    readonly broken_by?: string;
    /** Bytes of the request's body. */
    readonly in: number;
    /** Bytes of the answer's body. */
    readonly out: number;
    /** The `session-id` that the client was told, if it asked for something that has one. */
    readonly sid: string;
    readonly method: string;
    readonly path: string;
    readonly status: number;
    readonly ms: number;
    /** The most bytes of the kernels' memory since the line before. */
    readonly wasm: number;
  };

/** Logs a request. */
export function logRequest(line: RequestLine): void {
  // eslint-disable-next-line no-console -- this is the logger
  console.log(JSON.stringify({ log: "request", ...line }));
}

/** The log line of a job, written once it is done or has failed. */
export type JobLine = RequestCounts & {
  readonly job: string;
  readonly repository: string;
  readonly ms: number;
  readonly done: boolean;
  /**
   * `gone`: the repository was deleted below the job. Else what came of a sync: `synced`, `partial`, `skipped` or `failed`.
   */
  readonly outcome?: string;
  /** Why it failed. */
  readonly error?: string;
  /** As in a request's line. */
  readonly wasm: number;
};

/** Logs a job. */
export function logJob(line: JobLine): void {
  // eslint-disable-next-line no-console -- this is the logger
  console.log(JSON.stringify({ log: "job", at: new Date().toISOString(), ...line }));
}

/**
 * Returns the data of a fault beside its message: where stored data is damaged, which object is missing, which limit
 * was met.
 */
function dataOf(error: unknown): Readonly<Record<string, string | number>> {
  if (error instanceof CorruptStore) return { ...error.place };
  if (error instanceof MissingObject) return { oid: error.oid };
  if (error instanceof LimitExceeded) return { limit: error.limit, max: error.max };
  return {};
}

/** A file below the prefix of the repository whose id is `home`. */
export type LostFile = { readonly home: string; readonly pack: string; readonly extension: string };

/** Logs a file that only saves work and is damaged or missing. Nobody was told of it: maintenance makes it anew. */
export function logDamage({ home, pack, extension }: LostFile): void {
  const line = { log: "damage", at: new Date().toISOString(), repository: home, file: `pack-${pack}.${extension}` };
  // eslint-disable-next-line no-console -- this is the logger
  console.error(JSON.stringify(line));
}

/** Logs a fault of ours, with its causes. It never contains credentials: errors carry none. */
export function logFault(where: string, error: unknown): void {
  const causes: string[] = [];
  for (let at = error; at instanceof Error && causes.length < 5; at = at.cause)
    causes.push(`${at.name}: ${at.message}`);
  const stack = error instanceof Error ? error.stack : String(error);
  // eslint-disable-next-line no-console -- this is the logger
  console.error(JSON.stringify({ log: "fault", at: new Date().toISOString(), where, ...dataOf(error), causes, stack }));
}
