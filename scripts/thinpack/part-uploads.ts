/**
 * Uploads the parts of a pack as they become whole, a few at a time, each until it has arrived.
 *
 * @packageDocumentation
 */
import { createReadStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { ApiConnection } from "./api-connection.ts";
import { apiUrl } from "./api-path.ts";
import { CommandFailure, errorOf, HostRefusal } from "./failure.ts";
import { exchangeUntilDone, textOf } from "./http-exchange.ts";
import { listAt, textAt } from "./json.ts";
import type { PackSpool } from "./pack-spool.ts";

/** Parts that are sent at once. */
const AT_ONCE = 3;
/** Bytes that are read at once. */
const PIECE_BYTES = 262_144;

async function* counted(file: string, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const piece of createReadStream(file, { highWaterMark: PIECE_BYTES })) {
    const bytes = Buffer.from(piece);
    count(bytes.length);
    yield bytes;
  }
}

/** One upload at the host. */
export class PartUploads {
  readonly #api: ApiConnection;
  readonly #spool: PackSpool;
  readonly #path: string;
  readonly #onBytes: (bytes: number) => void;
  readonly #running = new Set<Promise<void>>();
  #failure: Error | undefined;

  /**
   * `path` is the repository's path in the API. `onBytes` is called with the number of bytes sent, negative if they
   * have to be sent again.
   */
  constructor(
    api: ApiConnection,
    spool: PackSpool,
    { path, id, onBytes }: { path: string; id: string; onBytes: (bytes: number) => void },
  ) {
    this.#api = api;
    this.#spool = spool;
    this.#path = `${path}/uploads/${id}`;
    this.#onBytes = onBytes;
  }

  /** Begins an upload at the host, and makes the repository if it is missing. Returns the upload's id. */
  static async begin(api: ApiConnection, path: string): Promise<string> {
    try {
      return textAt(await api.ask("POST", `${path}/uploads`), "id");
    } catch (error) {
      if (!(error instanceof HostRefusal) || error.status !== 404) throw error;
      // A push, too, makes a missing repository.
      await api.ask("PUT", path, {});
      return textAt(await api.ask("POST", `${path}/uploads`), "id");
    }
  }

  /** Returns the bytes of each part that has come; `undefined` if there is no such upload any more. */
  async arrived(): Promise<Map<number, number> | undefined> {
    try {
      const rows = listAt(await this.#api.ask("GET", this.#path), "parts");
      return new Map(rows.map((row) => [Number(row["number"]), Number(row["bytes"])]));
    } catch (error) {
      if (error instanceof HostRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /**
   * Sends a part, at once or after others; waits while too many are being sent.
   *
   * @throws the error of an earlier part.
   */
  async send(part: number): Promise<void> {
    while (this.#running.size >= AT_ONCE) await Promise.race(this.#running);
    if (this.#failure !== undefined) throw this.#failure;
    const sending = this.#put(part)
      .catch((error: unknown) => {
        this.#failure ??= errorOf(error);
      })
      .finally(() => this.#running.delete(sending));
    this.#running.add(sending);
  }

  /**
   * Waits for all parts.
   *
   * @throws the error of one of them.
   */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Lands the push; returns the host's answer to it. */
  async complete(head: Uint8Array): Promise<IncomingMessage> {
    return await exchangeUntilDone(apiUrl(this.#api.base, `${this.#path}/complete`), {
      method: "POST",
      headers: {
        Authorization: this.#api.authorization,
        "Content-Type": "application/x-git-receive-pack-request",
        "Content-Length": head.length,
      },
      body: () => Readable.from([head]),
    });
  }

  /** Gives up the upload. If the host cannot be told, it drops the upload a day later. */
  async abandon(): Promise<void> {
    await Promise.all(this.#running);
    try {
      await this.#api.send("DELETE", this.#path);
    } catch (error) {
      // The host drops it by itself, a day later.
      if (!(error instanceof CommandFailure)) throw error;
    }
  }

  async #put(part: number): Promise<void> {
    const bytes = this.#spool.bytes(part);
    let sent = 0;
    const count = (more: number): void => {
      sent += more;
      this.#onBytes(more);
    };
    const answer = await exchangeUntilDone(apiUrl(this.#api.base, `${this.#path}/parts/${part}`), {
      method: "PUT",
      headers: {
        Authorization: this.#api.authorization,
        "Content-Type": "application/octet-stream",
        "Content-Length": bytes,
      },
      body: () => {
        count(-sent);
        return Readable.from(counted(this.#spool.file(part), count), { objectMode: false });
      },
    });
    await textOf(answer);
  }
}
