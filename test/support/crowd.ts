/**
 * A crowd of clients that keep a host waiting: readers that do not read, pushes that stand still and archives that are held.
 *
 * @packageDocumentation
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { type MemorySampler, sampleMemory } from "../../scripts/bench/isolate-memory.ts";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient } from "./api-client.ts";
import { type GitSandbox, withToken } from "./git-client.ts";
import { objectId, packEntry, pkt, post, pushBody } from "./git-raw.ts";
import { bombPack } from "./hostile.ts";
import { type IsolateBytes, isolateBytes } from "./isolate-bytes.ts";

const MIB = 1024 * 1024;
/** Bytes that a push sends before it stands still. */
const PUSHED = 12 * MIB;
/** Bytes of an archive that are read before its client stops. */
const READ = 8 * MIB;
const BLOB_BYTES = 100_000;

/** Returns a stream for `git fast-import`: a branch `main`, and a branch `older` of all but its last commits. */
function history(commits: number): string {
  const lines: string[] = [];
  for (let at = 0; at < commits; at++) {
    const text = randomBytes(350).toString("hex");
    lines.push("commit refs/heads/main");
    if (at === commits - 9) lines.push("mark :1");
    lines.push(`committer A <a@example.com> ${1_700_000_000 + at} +0000`, "data 2", "x", "");
    lines.push(`M 100644 inline d${at % 40}/f${at % 1000}`, `data ${text.length}`, text);
  }
  return `${lines.join("\n")}\nreset refs/heads/older\nfrom :1\n`;
}

/** The clients, and the figures of the isolate that they keep waiting. It runs the observed Worker, with an inspector. */
export class Crowd {
  readonly #host: RunningHost;
  readonly #git: GitSandbox;
  readonly #memory: MemorySampler;
  readonly #sockets: Socket[] = [];
  #older = "";

  private constructor(host: RunningHost, git: GitSandbox, memory: MemorySampler) {
    this.#host = host;
    this.#git = git;
    this.#memory = memory;
  }

  /** Makes the repositories: `acme/long` of that many commits and a tree whose archive does not end, and `acme/small`. */
  static async prepare(host: RunningHost, git: GitSandbox, commits: number): Promise<Crowd> {
    const crowd = new Crowd(host, git, await sampleMemory(await host.inspector()));
    const operator = apiClient(host.base, "test-token");
    const remote = (name: string): string => withToken(`${host.base}/acme/${name}.git`, "test-token");
    for (const name of ["long", "small"]) {
      await operator("PUT", `/repos/acme/${name}`);
      await operator("PATCH", `/repos/acme/${name}`, { visibility: "public" });
    }
    const work = await git.init();
    await git.ok(["fast-import", "--quiet"], { cwd: work, input: history(commits) });
    crowd.#older = await git.ok(["rev-parse", "older"], { cwd: work });
    await git.ok(["push", "-q", remote("long"), "main", "older"], { cwd: work });
    const few = await git.init();
    await git.commit(few, "a.txt", "a\n");
    await git.ok(["push", "-q", remote("small"), "main"], { cwd: few });
    // It lies beside the long history: what an archive may have depends on what is stored.
    const bomb = bombPack(32, 10, "long-name-".repeat(20));
    const command = { name: "refs/heads/bomb", new: bomb.tip };
    await post(remote("long"), "receive-pack", pushBody([command], bomb.pack));
    return crowd;
  }

  /** Sends a request, takes `read` bytes of the answer, and nothing more. */
  async #request(head: readonly string[], body: Buffer, read: number): Promise<void> {
    const { hostname, port } = new URL(this.#host.base);
    const socket = connect({ host: hostname, port: Number(port) });
    this.#sockets.push(socket);
    socket.on("error", () => undefined);
    let taken = 0;
    if (read === 0) socket.pause();
    else
      socket.on("data", (piece) => {
        taken += piece.length;
        if (taken >= read) socket.pause();
      });
    const basic = Buffer.from("git:test-token").toString("base64");
    const lines = [...head, `Host: ${hostname}`, `Authorization: Basic ${basic}`, "", ""];
    await new Promise<void>((resolve) => {
      socket.write(Buffer.concat([Buffer.from(lines.join("\r\n")), body]), () => resolve());
    });
  }

  /** Fetches a part of a long history, and reads nothing of it. */
  async read(): Promise<void> {
    const lines = [`want ${this.#older}\n`, "ofs-delta\n", "done\n"].map((line) => pkt(line));
    const body = Buffer.concat([pkt("command=fetch\n"), Buffer.from("0001"), ...lines, Buffer.from("0000")]);
    const head = [
      "POST /acme/long.git/git-upload-pack HTTP/1.1",
      "Git-Protocol: version=2",
      "Content-Type: application/x-git-upload-pack-request",
      `Content-Length: ${body.length}`,
    ];
    await this.#request(head, body, 0);
  }

  /** Pushes 12 MiB of a pack, and stands still. */
  async push(name: string): Promise<void> {
    const blob = randomBytes(BLOB_BYTES);
    const header = Buffer.from("PACK\0\0\0\u0002\0\0\0\0", "latin1");
    header.writeUInt32BE(1000, 8);
    const pieces = [header];
    for (let bytes = 0; bytes < PUSHED; bytes += BLOB_BYTES) {
      blob.writeUInt32BE(bytes, 0);
      pieces.push(packEntry({ type: "blob", content: blob }));
    }
    const head = [
      "POST /acme/small.git/git-receive-pack HTTP/1.1",
      "Content-Type: application/x-git-receive-pack-request",
      "Content-Length: 200000000",
    ];
    const command = { name: `refs/heads/${name}`, new: objectId("blob", blob) };
    await this.#request(head, pushBody([command], Buffer.concat(pieces)), 1);
  }

  /** Reads 8 MiB of an archive of long paths, and then nothing more. */
  async archive(): Promise<void> {
    await this.#request(["GET /api/v1/repos/acme/long/archive/bomb.zip HTTP/1.1"], Buffer.alloc(0), READ);
  }

  /** Clones the small repository, and returns how many milliseconds that took. */
  async clone(): Promise<number> {
    const began = performance.now();
    await this.#git.ok(["clone", "-q", `${this.#host.base}/acme/small.git`, this.#git.fresh("late")]);
    return performance.now() - began;
  }

  /** Returns what the isolate holds once its garbage is collected. */
  async figures(): Promise<IsolateBytes> {
    return await isolateBytes(this.#host.base, this.#memory);
  }

  /** Ends all clients. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#memory.close();
  }
}
