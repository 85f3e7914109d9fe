/**
 * The log: one JSON object a line, so that figures can be read back.
 *
 * @packageDocumentation
 */
import type { RequestCounts } from "../repository/request-counts.ts";

/** What is said of each request once its answer has gone out. */
export type RequestLine = RequestCounts & {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  /** Bytes of the kernel's memory. */
  readonly wasm: number;
};

/** Logs a request. */
export function logRequest(line: RequestLine): void {
  // eslint-disable-next-line no-console -- this is the logger
  console.log(JSON.stringify({ log: "request", ...line }));
}

/** Logs a fault of ours, with its causes. Never holds credentials: errors carry none. */
export function logFault(where: string, error: unknown): void {
  const causes: string[] = [];
  for (let at = error; at instanceof Error && causes.length < 5; at = at.cause)
    causes.push(`${at.name}: ${at.message}`);
  const stack = error instanceof Error ? error.stack : String(error);
  // eslint-disable-next-line no-console -- this is the logger
  console.error(JSON.stringify({ log: "fault", where, causes, stack }));
}
