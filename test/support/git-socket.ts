/**
 * A WebSocket of a test: what came so far, and how it was closed.
 *
 * @packageDocumentation
 */

/** How a WebSocket was closed. */
type Closing = { readonly code: number; readonly reason: string };

/** A WebSocket that is being opened, or is open. */
export type GitSocket = {
  /** Sends a binary message. */
  send(message: string | Uint8Array<ArrayBuffer>): void;
  sendText(message: string): void;
  /** Resolves with everything that came, as soon as it contains `text`. */
  received(text: string): Promise<string>;
  readonly closed: Promise<Closing>;
};

/** Opens a WebSocket, with a token or without. */
export function openSocket(url: string, { token }: { readonly token?: string }): GitSocket {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  // Node takes headers here, which the standard's type does not know.
  const init: unknown = { headers };
  const socket = new WebSocket(url, init as string[]);
  socket.binaryType = "arraybuffer";
  let came = "";
  let wake: () => void = () => undefined;
  socket.addEventListener("message", ({ data }) => {
    if (data instanceof ArrayBuffer) came += Buffer.from(data).toString("latin1");
    wake();
  });
  const closed = new Promise<Closing>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => {
      resolve({ code, reason });
      wake();
    });
  });
  return {
    send: (message) => socket.send(typeof message === "string" ? Buffer.from(message) : message),
    sendText: (message) => socket.send(message),
    received: async (text) => {
      while (!came.includes(text)) {
        if (socket.readyState === WebSocket.CLOSED) throw new Error(`closed before '${text}' came: '${came}'`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
      return came;
    },
    closed,
  };
}
