/**
 * Serves a client on a connection of its own: the advertisement comes first, and everything else follows on the same
 * connection. WebSockets, TCP and SSH carry it; the services are those of HTTP.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), gitprotocol-v2(5), git-daemon(1)
 */
import type { ProtocolVersion } from "../wire/protocol-version.ts";
import { advertiseRefs } from "./advertise.ts";
import type { Exchange, PushExchange } from "./exchange.ts";
import { serveReceivePack } from "./push/receive-pack.ts";
import { serveCommands } from "./serve-v2.ts";
import { serveUploadPack } from "./fetch/upload-pack.ts";

/** What a client may ask for on a connection, with what serves it. */
export type ConnectionCall =
  | { readonly service: "git-upload-pack"; readonly version: ProtocolVersion; readonly exchange: Exchange }
  | { readonly service: "git-receive-pack"; readonly version: ProtocolVersion; readonly exchange: PushExchange };

/**
 * Serves a client until it is done. Returns whether it was served without a fault; one of the client's was told to it.
 * What it may still be sending is not read.
 *
 * @throws the refusal of the exchange's `admit`, before anything is written; also every fault of the host's.
 */
export async function serveConnection(call: ConnectionCall): Promise<boolean> {
  const { service, version } = call;
  const exchange = { ...call.exchange, stateful: true } as const;
  if (!(await advertiseRefs(exchange, service, version))) return false;
  if (call.service === "git-receive-pack") return await serveReceivePack({ ...call.exchange, stateful: true });
  return version === 2 ? await serveCommands(exchange) : await serveUploadPack(exchange);
}
