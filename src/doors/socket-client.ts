/**
 * A client on a TCP connection that came in.
 *
 * @packageDocumentation
 */
import type { SessionClient } from "./session.ts";

/** A TCP connection, as far as a session goes. */
export type SocketClient = SessionClient & {
  /** The client's address, without the port; "" if the platform does not tell it. */
  readonly address: string;
  /** Closes the connection. */
  close(): Promise<void>;
};

/** Returns an address without its port. */
function withoutPort(address: string): string {
  return address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** Takes a connection that has come in. */
export async function socketClient(socket: Socket): Promise<SocketClient> {
  const { remoteAddress = "" } = await socket.opened;
  const reader = socket.readable.getReader({ mode: "byob" });
  const writer = socket.writable.getWriter();
  const gone = new AbortController();
  writer.closed.catch(() => gone.abort());
  return {
    address: withoutPort(remoteAddress),
    input: {
      read: async (buffer) => {
        const { byteLength: size } = buffer;
        const { value } = await reader.read(buffer);
        // A stream that was cancelled keeps the buffer.
        return value ?? new Uint8Array(size).subarray(0, 0);
      },
    },
    output: { write: (bytes) => writer.write(bytes) },
    signal: gone.signal,
    end: () => writer.close(),
    close: async () => {
      await reader.cancel().catch(() => undefined);
      await socket.close().catch(() => undefined);
    },
  };
}
