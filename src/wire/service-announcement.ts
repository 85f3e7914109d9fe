/**
 * The first line of a smart HTTP response to `info/refs`. It tells a client that the response is not a dumb server's
 * file.
 *
 * @packageDocumentation
 * @see gitprotocol-http(5)
 */
import type { PktBuffer } from "./pkt-buffer.ts";
import { decodeLine } from "./pkt-line.ts";

/** The services of a repository. */
export type ServiceName = "git-upload-pack" | "git-receive-pack";

const PREFIX = "# service=";

/** Parses the name of a service; returns `undefined` for any other name. */
export function parseServiceName(name: string): ServiceName | undefined {
  return name === "git-upload-pack" || name === "git-receive-pack" ? name : undefined;
}

/**
 * Appends the announcement and its flush-pkt. http-backend leaves it out for every client that asked for version 2,
 * even from receive-pack, which has no version 2.
 */
export function formatServiceAnnouncement(service: ServiceName, out: PktBuffer): void {
  out.line(`${PREFIX}${service}\n`);
  out.flush();
}

/** Parses the announcement's line; returns `undefined` for any other line. */
export function parseServiceAnnouncement(payload: Uint8Array): ServiceName | undefined {
  const line = decodeLine(payload);
  return line.startsWith(PREFIX) ? parseServiceName(line.slice(PREFIX.length)) : undefined;
}
