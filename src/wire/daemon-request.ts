/**
 * The first line of a git:// connection: what is asked for, and of which repository.
 *
 * ```text
 * daemon-request := service SP path [NUL "host=" host NUL] [NUL *(parameter NUL)]       one pkt-line
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), git's daemon.c `parse_extra_args()`
 */
import { decodeText, type PktLine } from "./pkt-line.ts";
import { parseProtocolVersion, type ProtocolVersion } from "./protocol-version.ts";

/** What a git:// client asks for. */
export type DaemonRequest = {
  /** The name of a service; it need not be one that there is. */
  readonly service: string;
  readonly path: string;
  readonly version: ProtocolVersion;
};

/** Parses the line; returns `undefined` if it is none. The host is passed over: there is one for all names. */
export function parseDaemonRequest(line: PktLine): DaemonRequest | undefined {
  if (line.kind !== "data") return undefined;
  const [command = "", ...more] = decodeText(line.payload).split("\0");
  const [, service, path] = /^(\S+) (\/[^\n]*)\n?$/.exec(command) ?? [];
  if (service === undefined || path === undefined) return undefined;
  const parameters = more.filter((text) => text !== "" && !/^host=/i.test(text));
  return { service, path, version: parseProtocolVersion(parameters.join(":")) };
}
