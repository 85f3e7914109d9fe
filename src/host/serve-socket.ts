/**
 * Serves a TCP connection that came in. It is loaded when the first one comes.
 *
 * @packageDocumentation
 */
import { Doorkeeper } from "../doors/doorkeeper.ts";
import { serveGitDaemon } from "../doors/git-daemon.ts";
import { socketClient } from "../doors/socket-client.ts";
import type { Env } from "../env.ts";
import type { PlatformOptions } from "./begun-request.ts";
import { sessionRunner } from "./run-session.ts";

/** The port of SSH where nothing else is set. */
const SSH_PORT = "22";

/** The doorkeeper of git://. */
const doorkeeper = new Doorkeeper();

/** Whether a connection came in at a port for SSH. */
function isForSsh(localAddress: string | undefined, { SSH_PORT: ports = SSH_PORT }: Env): boolean {
  return ports.split(",").some((port) => localAddress?.endsWith(`:${port.trim()}`) === true);
}

/** Serves a connection to its end. */
export async function serveSocket(socket: Socket, platform: PlatformOptions, env: Env): Promise<void> {
  const { localAddress } = await socket.opened;
  const client = await socketClient(socket);
  if (!isForSsh(localAddress, env)) {
    return await serveGitDaemon(client, { run: sessionRunner(platform, env), doorkeeper });
  }
  const { serveSshSocket } = await import("./serve-ssh.ts");
  return await serveSshSocket(client, platform, env);
}
