/**
 * The line that a smart HTTP answer to `info/refs` opens with, by which a client tells it from a dumb server's file.
 *
 * @packageDocumentation
 * @see gitprotocol-http(5)
 */
import type { PktBuffer } from "./pkt-buffer.ts";
import { decodeLine } from "./pkt-line.ts";

/** What a client can ask of a repository. */
export type ServiceName = "git-upload-pack" | "git-receive-pack";

const PREFIX = "# service=";

/** Parses the name of a service; `undefined` where it is not one of the two. */
export function parseServiceName(name: string): ServiceName | undefined {
  return name === "git-upload-pack" || name === "git-receive-pack" ? name : undefined;
}

/**
 * Appends the announcement and its flush. Not for an answer in version 2, where http-backend leaves it out; receive-pack speaks no
 * version 2, yet http-backend leaves it out for a client that asked for it.
 */
export function formatServiceAnnouncement(service: ServiceName, out: PktBuffer): void {
  out.line(`${PREFIX}${service}\n`);
  out.flush();
}

/** Parses the announcement's line; `undefined` where the line is something else. */
export function parseServiceAnnouncement(payload: Uint8Array): ServiceName | undefined {
  const line = decodeLine(payload);
  return line.startsWith(PREFIX) ? parseServiceName(line.slice(PREFIX.length)) : undefined;
}
