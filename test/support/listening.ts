/**
 * Servers of tests on loopback.
 *
 * @packageDocumentation
 */
import type { Server } from "node:net";

/** Has a server listen, and returns its port; 0, the default, takes a free one. */
export async function listening(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return address.port;
}
