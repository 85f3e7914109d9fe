/**
 * Serves a TCP connection that came in. It is loaded when the first one comes.
 *
 * @packageDocumentation
 */
import { serveGitDaemon } from "../doors/git-daemon.ts";
import { socketClient } from "../doors/socket-client.ts";
import type { Env } from "../env.ts";
import type { PlatformOptions } from "./begun-request.ts";
import { sessionRunner } from "./run-session.ts";

/** Serves a connection to its end. */
export async function serveSocket(socket: Socket, platform: PlatformOptions, env: Env): Promise<void> {
  await serveGitDaemon(await socketClient(socket), sessionRunner(platform, env));
}
