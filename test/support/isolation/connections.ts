/**
 * The doors of a game that are no requests: SSH, git:// and Git over WebSocket. Each is asked all at once, as a client may, and gives what
 * came until the host had said everything.
 *
 * @packageDocumentation
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { request as openRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { encodeFrame, FrameReader, OPCODE } from "../../../scripts/remote-helper/websocket-frames.ts";
import type { RunningHost } from "../../../scripts/host.ts";
import { pkt } from "../git-raw.ts";
import { stopProcess } from "../git-process.ts";
import { type ClientKey, makeClientKey, sshOptions } from "../ssh-bed.ts";
import { WAIT_LIMIT } from "../time-limits.ts";
import type { Answered } from "./asked.ts";

/** What git's answers are searched for: see `seenIn`. */
const GIT_TYPE = "application/x-git-upload-pack-result";
const LOOK = 10;

/** What is asked of a connection. */
export type Connected = {
  /** `git-upload-pack`, say. */
  readonly service: string;
  /** `/{tenant}/{repo}.git`. */
  readonly path: string;
  /** What the client adds to the command. */
  readonly more?: string;
  readonly version: number;
  /** All that the client sends. */
  readonly input: Uint8Array;
};

/** A process or a connection has no status of HTTP: it is 200 where all went well, and else 404. */
function answered(body: Buffer, isWell: boolean, errors = ""): Answered {
  const headers = new Headers({ "Content-Type": GIT_TYPE, "X-Errors": errors.trim().replaceAll("\n", "|") });
  return { status: isWell ? 200 : 404, headers, body };
}

async function gathered(child: ChildProcess, input: Uint8Array): Promise<{ out: Buffer; err: string; code: number }> {
  const out: Buffer[] = [];
  let err = "";
  child.stdout?.on("data", (piece: Buffer) => out.push(piece));
  child.stderr?.on("data", (piece: Buffer) => (err += piece.toString()));
  // A host that refuses does not wait for what is sent.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? -1)));
  return { out: Buffer.concat(out), err, code };
}

/** The process that holds a connection open, and what it has said so far. */
type Master = { readonly child: ChildProcess; said: string };

/** Keys, and a connection by SSH for each, in which sessions follow each other. */
export class SshConnections {
  readonly #port: number;
  readonly #directory = mkdtempSync(join(tmpdir(), "isolation-"));
  readonly #masters = new Map<string, Promise<Master>>();

  constructor({ sshPort = 0 }: RunningHost) {
    this.#port = sshPort;
  }

  /** Makes a key that nobody knows yet. */
  makeKey(): ClientKey {
    return makeClientKey("ed25519");
  }

  #arguments(key: ClientKey): string[] {
    const socket = join(this.#directory, key.fingerprint.replaceAll(/\W/g, "").slice(-12));
    const options = [...sshOptions(key), "-o", "SendEnv=GIT_PROTOCOL", "-p", String(this.#port), "-S", socket];
    return [...options, "git@127.0.0.1"];
  }

  async #open(key: ClientKey): Promise<Master> {
    const args = this.#arguments(key);
    const socket = args.at(-2) ?? "";
    const child = spawn("ssh", ["-N", "-M", ...args], { stdio: ["ignore", "ignore", "pipe"] });
    const master: Master = { child, said: "" };
    child.stderr?.on("data", (piece: Buffer) => (master.said += piece.toString()));
    for (const end = Date.now() + WAIT_LIMIT; !existsSync(socket);) {
      if (child.exitCode !== null || Date.now() > end) throw new Error(`ssh does not connect: ${master.said}`);
      await pause(LOOK);
    }
    return master;
  }

  /** Has a command run, as the holder of a key. */
  async ask(key: ClientKey, { service, path, more = "", version, input }: Connected): Promise<Answered> {
    const shared = this.#masters.get(key.file) ?? this.#open(key);
    this.#masters.set(key.file, shared);
    const master = await shared;
    const env = { ...process.env, GIT_PROTOCOL: `version=${version}` };
    const child = spawn("ssh", [...this.#arguments(key), `${service} '${path}'${more}`], { env });
    const { out, err, code } = await gathered(child, input);
    if (code === 255) throw new Error(`ssh has no connection: "${err}"; of the shared one: "${master.said}"`);
    // Whom the host does not know it calls by the key, whatever is asked.
    return answered(out, code === 0, `${code} ${err.replaceAll(key.fingerprint, "KEY")}`);
  }

  /** Ends the connections. Whoever asks next opens one. */
  async end(): Promise<void> {
    const masters = [...this.#masters.values()];
    this.#masters.clear();
    await Promise.all(masters.map(async (master) => await stopProcess((await master).child)));
  }
}

/** Asks by git://. */
export async function askDaemon(port: number, { service, path, version, input }: Connected): Promise<Answered> {
  const extra = version === 0 ? "" : `\0version=${version}\0`;
  const socket = connect(port, "127.0.0.1");
  const pieces: Buffer[] = [];
  socket.setTimeout(WAIT_LIMIT, () => socket.destroy());
  socket.on("data", (piece: Buffer) => pieces.push(piece));
  socket.on("error", () => undefined);
  socket.write(Buffer.concat([pkt(`${service} ${path}\0host=127.0.0.1\0${extra}`), input]));
  await new Promise((resolve) => socket.on("close", resolve));
  const body = Buffer.concat(pieces);
  return answered(body, !/ERR /.test(body.toString("latin1")));
}

/** Asks over a WebSocket. Whoever is refused gets an answer of HTTP. */
export async function askGitSocket(
  base: string,
  headers: Readonly<Record<string, string>>,
  { service, path, version, input }: Connected,
): Promise<Answered> {
  const upgrade = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": btoa("0123456789abcdef") }; // prettier-ignore
  const protocol = version === 0 ? {} : { "Git-Protocol": `version=${version}` };
  return await new Promise<Answered>((resolve, reject) => {
    const asked = openRequest(`${base}${path}/${service}`, { headers: { ...headers, ...upgrade, ...protocol } });
    const pieces: Buffer[] = [];
    asked.setTimeout(WAIT_LIMIT, () => asked.destroy(new Error(`no answer of ${path}/${service}`)));
    asked.on("error", reject);
    asked.on("response", (answer) => {
      const named = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: new Headers(named), body: Buffer.concat(pieces) }),
      );
    });
    asked.on("upgrade", (_, socket, first) => {
      const frames = new FrameReader();
      const take = (piece: Buffer): void => {
        for (const { opcode, payload } of frames.push(piece)) {
          if (opcode === OPCODE.binary || opcode === OPCODE.continuation) pieces.push(payload);
          if (opcode !== OPCODE.close) continue;
          const [code, why] = [payload.readUInt16BE(0), payload.subarray(2).toString()];
          socket.destroy();
          resolve(answered(Buffer.concat(pieces), code === 1000, `${code} ${why}`));
        }
      };
      socket.on("error", reject);
      socket.on("end", () => reject(new Error(`${path}/${service} ended without a word`)));
      socket.on("data", take);
      take(first);
      socket.write(encodeFrame(OPCODE.binary, input));
    });
    asked.end();
  });
}
