/**
 * The SSH server alone, on a port of this machine, with commands of a test's.
 *
 * @packageDocumentation
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteSink, ByteSource } from "../../src/bytes/byte-stream.ts";
import { Pacer } from "../../src/bytes/pacer.ts";
import { makeSshHostKeys } from "../../scripts/ssh-host-keys.ts";
import type { RunSession } from "../../src/ssh/connection.ts";
import { readHostKeys } from "../../src/ssh/host-key.ts";
import { serveSsh, type SshClient, type SshEnd } from "../../src/ssh/ssh-server.ts";

function sourceOf(socket: Socket): ByteSource {
  const chunks = socket[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  return {
    read: async (buffer) => {
      if (rest.length === 0) {
        const next = await chunks.next();
        if (next.done === true) return buffer.subarray(0, 0);
        rest = next.value;
      }
      const length = Math.min(rest.length, buffer.length);
      buffer.set(rest.subarray(0, length));
      rest = rest.subarray(length);
      return buffer.subarray(0, length);
    },
  };
}

function sinkOf(socket: Socket): ByteSink {
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        const gone = (): void => reject(new Error("closed"));
        socket.once("close", gone);
        socket.write(bytes, (error) => {
          socket.off("close", gone);
          if (error instanceof Error) reject(error);
          else resolve();
        });
      }),
  };
}

/** Returns a socket as the server takes it. */
export function clientOf(socket: Socket): SshClient {
  socket.on("error", () => undefined);
  return { input: sourceOf(socket), output: sinkOf(socket), close: () => socket.destroy() };
}

/** A running server. */
export type SshBed = {
  readonly port: number;
  /** How connections have ended. */
  readonly ends: SshEnd[];
  stop(): Promise<void>;
};

/** Starts a server whose commands are run by `run`. */
export async function startSshBed(run: RunSession): Promise<SshBed> {
  const hostKeys = await readHostKeys(makeSshHostKeys());
  const ends: SshEnd[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    const pacer = new Pacer(async () => await new Promise((resolve) => setImmediate(resolve)));
    void serveSsh(clientOf(socket), { hostKeys, software: "thinpack_test", pacer, run }).then((end) => ends.push(end));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: address.port, ends, stop };
}

/** A key of a client's, in a directory of its own. */
export type ClientKey = { readonly file: string; readonly publicKey: string; readonly fingerprint: string };

/** Makes a key with ssh-keygen. */
export function makeClientKey(type: "ed25519" | "ecdsa" | "rsa", bits?: number): ClientKey {
  const file = join(mkdtempSync(join(tmpdir(), "ssh-key-")), "key");
  const size = bits === undefined ? [] : ["-b", `${bits}`];
  spawnSync("ssh-keygen", ["-q", "-t", type, ...size, "-N", "", "-C", "somebody", "-f", file]);
  const shown = spawnSync("ssh-keygen", ["-l", "-f", `${file}.pub`], { encoding: "utf8" }).stdout;
  return { file, publicKey: readFileSync(`${file}.pub`, "utf8").trim(), fingerprint: shown.split(" ")[1] ?? "" };
}

/** Returns the options with which OpenSSH's client uses one key and nothing of its user's. */
export function sshOptions(key: ClientKey): string[] {
  const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "LogLevel=ERROR"];
  return ["-F", "/dev/null", "-i", key.file, ...options.flatMap((option) => ["-o", option])];
}
