/**
 * The messages of a WebSocket as lines of a stream, which can be handed to another Worker.
 *
 * @packageDocumentation
 */

/** Bytes that may wait for a reader that is slow. Then the stream ends with an error, and the reader comes back with `since`. */
const MOST_WAITING = 1024 * 1024;
/** How the socket is closed for such a reader: "try again later". @see RFC 6455, 7.4.1 */
const TRY_AGAIN_LATER = 1013;
const GONE = 1000;

/** Returns the messages of a socket that is not accepted yet, each as a line. */
export function streamMessages(socket: WebSocket): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  let waiting = 0;
  const end = (code: number, reason?: Error): void => {
    socket.close(code);
    (reason === undefined ? writer.close() : writer.abort(reason)).catch(() => undefined);
  };
  const write = async (line: Uint8Array): Promise<void> => {
    waiting += line.length;
    if (waiting > MOST_WAITING) return end(TRY_AGAIN_LATER, new Error("The reader is too slow. Come back with since."));
    try {
      await writer.write(line);
    } catch {
      // The reader has gone.
      socket.close(GONE);
    }
    waiting -= line.length;
  };
  socket.accept();
  socket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") void write(encoder.encode(`${data}\n`));
  });
  socket.addEventListener("close", () => end(GONE));
  socket.addEventListener("error", () => end(GONE));
  writer.closed.catch(() => socket.close(GONE));
  return readable;
}
