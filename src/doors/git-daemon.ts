/**
 * git://: what anybody may read, to anybody, and nothing else. It is neither encrypted nor authenticated.
 *
 * @packageDocumentation
 * @see git-daemon(1)
 */
import type { ByteSource } from "../bytes/byte-stream.ts";
import { RequestReader } from "../service/request-reader.ts";
import { type DaemonRequest, parseDaemonRequest } from "../wire/daemon-request.ts";
import { encodeFailureLine } from "../wire/failure-line.ts";
import type { SessionRunner } from "./session.ts";
import type { SocketClient } from "./socket-client.ts";

/** How long a client may take to say what it wants, in milliseconds. */
const FIRST_LINE_TIME = 10_000;

/** git's daemon says this of everything that it does not serve, whatever the reason. */
function notExported(path: string): string {
  return `access denied or repository not exported: ${path}`;
}

/** Serves one connection, and closes it. */
export async function serveGitDaemon(socket: SocketClient, run: SessionRunner): Promise<void> {
  try {
    const reader = new RequestReader(socket.input);
    const asked = await firstLine(reader);
    if (typeof asked === "string") await refuse(socket, asked);
    else if (asked.service !== "git-upload-pack") await refuse(socket, `service not enabled: '${asked.service}'`);
    else await serve(socket, asked, await rest(reader), run);
  } catch {
    // A client that breaks the framing of its first line, or hangs up in it, is told nothing.
  } finally {
    await socket.close();
  }
}

async function serve(
  socket: SocketClient,
  { path, version }: DaemonRequest,
  input: ByteSource,
  run: SessionRunner,
): Promise<void> {
  await run({
    door: "GIT",
    service: "git-upload-pack",
    version,
    path,
    credentials: { kind: "anonymous" },
    address: socket.address,
    agent: "",
    client: { ...socket, input },
    denial: notExported(path),
  });
}

/** Reads what is asked for. Returns what is wrong with it where it is not to be served. */
async function firstLine(reader: RequestReader): Promise<DaemonRequest | string> {
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), FIRST_LINE_TIME);
  try {
    const line = await Promise.race([reader.peek(), late]);
    if (line === "late") return "nothing was asked for";
    return (line && parseDaemonRequest(line)) ?? "invalid request";
  } finally {
    clearTimeout(timer);
  }
}

/** Returns what follows the first line, which was looked at and not taken. */
async function rest(reader: RequestReader): Promise<ByteSource> {
  await reader.feed({ accept: () => "done" });
  const left = await reader.rest(0);
  let at = 0;
  return {
    read: async (buffer) => {
      if (at === left.length) return await reader.source.read(buffer);
      const length = Math.min(buffer.length, left.length - at);
      buffer.set(left.subarray(at, at + length));
      at += length;
      return buffer.subarray(0, length);
    },
  };
}

async function refuse(socket: SocketClient, why: string): Promise<void> {
  await socket.output.write(encodeFailureLine(why));
  await socket.end(1);
}
