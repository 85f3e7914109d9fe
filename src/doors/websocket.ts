/**
 * Git over WebSocket: the protocol of a connection in binary messages, for networks that let only HTTPS out and for
 * pushes of any size.
 *
 * @packageDocumentation
 * @see docs/using.md
 */
import type { Host } from "../http/host.ts";
import type { ProtocolVersion } from "../wire/protocol-version.ts";
import { type GitSession, serveSession } from "./session.ts";
import { WebSocketClient } from "./websocket-client.ts";

/** A WebSocket that a client wants to open. */
export type AskedWebSocket = {
  readonly host: Host;
  readonly service: GitSession["service"];
  readonly version: ProtocolVersion;
  /** The repository's address. */
  readonly path: string;
};

/**
 * Opens a WebSocket when its session writes its first byte. Whoever is refused before that gets an answer of HTTP, so
 * that a client can be asked for its credentials.
 *
 * @throws whatever refuses the client.
 */
export async function openWebSocket({ host, ...asked }: AskedWebSocket): Promise<Response> {
  const { 0: theirs, 1: ours } = new WebSocketPair();
  const client = new WebSocketClient(ours);
  const begun = Promise.withResolvers<void>();
  const begin = (): void => {
    client.accept();
    begun.resolve();
  };
  const session: GitSession = {
    ...asked,
    host,
    refusesItself: true,
    client: {
      input: client.input,
      output: {
        write: async (bytes) => {
          begin();
          await client.output.write(bytes);
        },
      },
      signal: client.signal,
      begin,
      heldBy: (memory) => client.heldBy(memory),
      end: (status) => client.end(status),
    },
  };
  const served = serveSession(session);
  host.until(served);
  await Promise.race([begun.promise, served]);
  return new Response(null, { status: 101, webSocket: theirs });
}
