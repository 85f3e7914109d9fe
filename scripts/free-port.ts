/**
 * Finds a free port. The simulator takes one by itself for HTTP, and not for other connections.
 */
import { createServer } from "node:net";

/** Returns a port that is free now on an address of this machine. */
export async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, host, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("there is no free port");
  return address.port;
}
