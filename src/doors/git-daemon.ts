/**
 * git://: what anybody may read, to anybody, and nothing else. It is neither encrypted nor authenticated.
 *
 * @packageDocumentation
 * @see git-daemon(1)
 */
import { networkOf } from "../access/client-network.ts";
import type { ByteSource } from "../bytes/byte-stream.ts";
import { ProtocolError } from "../bytes/failure.ts";
import { RequestReader } from "../service/request-reader.ts";
import { type DaemonRequest, parseDaemonRequest } from "../wire/daemon-request.ts";
import { encodeFailureLine } from "../wire/failure-line.ts";
import type { Doorkeeper } from "./doorkeeper.ts";
import type { SessionRunner } from "./session.ts";
import type { SocketClient } from "./socket-client.ts";

/** How long a client may take to say what it wants, in milliseconds. */
const FIRST_LINE_TIME = 10_000;
/**
 * How long a client may be silent after an answer, in milliseconds. Between two of them it looks for what it has already;
 * it needs the connection no more while it indexes a pack. What is longer by SSH is for pushes, whose packs take long to
 * make, and for clients that have logged in.
 */
const LONGEST_PAUSE = 5 * 60_000;
/** Bytes that may come before the end of the first line. It has a service, a path and the name of a host. */
const MOST_FIRST_BYTES = 4096;

/** git's daemon says this of everything that it does not serve, whatever the reason. */
function notExported(path: string): string {
  return `access denied or repository not exported: ${path}`;
}

/** What the door needs of the host. */
export type GitDaemonTools = { readonly run: SessionRunner; readonly doorkeeper: Doorkeeper };

/** Serves one connection, and closes it. */
export async function serveGitDaemon(socket: SocketClient, { run, doorkeeper }: GitDaemonTools): Promise<void> {
  const entry = doorkeeper.enter(networkOf(socket.address));
  try {
    if (entry === undefined) return await refuse(socket, "too many connections: try again later");
    const reader = new RequestReader(beginningOf(socket.input));
    const asked = await firstLine(reader);
    if (typeof asked !== "string") entry.prove();
    if (typeof asked === "string") await refuse(socket, asked);
    else if (asked.service !== "git-upload-pack") await refuse(socket, `service not enabled: '${asked.service}'`);
    else await serve(socket, asked, await rest(reader, socket.input), run);
  } catch {
    // A client that breaks the framing of its first line, or hangs up in it, is told nothing.
  } finally {
    entry?.leave();
    await socket.close();
  }
}

/** Returns a source that ends in an error where a client sends on and on without an end of its first line. */
function beginningOf(input: ByteSource): ByteSource {
  let came = 0;
  return {
    read: async (buffer) => {
      if (came >= MOST_FIRST_BYTES) throw new ProtocolError("a first line that is too long");
      const bytes = await input.read(buffer);
      came += bytes.length;
      return bytes;
    },
  };
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
    longestPause: LONGEST_PAUSE,
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
async function rest(reader: RequestReader, input: ByteSource): Promise<ByteSource> {
  await reader.feed({ accept: () => "done" });
  const left = await reader.rest(0);
  let at = 0;
  return {
    read: async (buffer) => {
      if (at === left.length) return await input.read(buffer);
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
