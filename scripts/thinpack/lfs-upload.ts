/**
 * Uploads a Git LFS object: at once, or in parts where it is larger than a request may be. An interrupted upload in parts goes
 * on with those that are missing.
 *
 * @packageDocumentation
 */
import { createReadStream, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { ApiConnection } from "./api-connection.ts";
import { apiUrl } from "./api-path.ts";
import { CommandFailure, HostRefusal } from "./failure.ts";
import { exchangeUntilDone, textOf } from "./http-exchange.ts";
import { isJson, listAt, textAt } from "./json.ts";
import type { Transfer } from "./lfs-agent.ts";
import { transferFile } from "./lfs-transfers-directory.ts";

/** Bytes that are read at once. */
const PIECE_BYTES = 262_144;
/** Parts that are sent at once. */
const AT_ONCE = 2;
const OF_HOST = /^(.*)\/([^/]+)\/([^/]+)\.git\/info\/lfs\/objects\/[0-9a-f]{64}$/;

type Part = { readonly number: number; readonly from: number; readonly bytes: number };

/** Bytes of a file to be sent. */
type Piece = Omit<Part, "number"> & Pick<Transfer, "onBytes"> & { readonly file: string };

async function put(url: string, headers: Transfer["headers"], { file, from, bytes, onBytes }: Piece): Promise<void> {
  let sent = 0;
  const counted = async function* (): AsyncGenerator<Buffer> {
    if (bytes === 0) return;
    for await (const piece of createReadStream(file, {
      start: from,
      end: from + bytes - 1,
      highWaterMark: PIECE_BYTES,
    })) {
      const read = Buffer.from(piece);
      sent += read.length;
      onBytes(read.length);
      yield read;
    }
  };
  const answer = await exchangeUntilDone(url, {
    method: "PUT",
    headers: { ...headers, "Content-Type": "application/octet-stream", "Content-Length": bytes },
    body: () => {
      onBytes(-sent);
      sent = 0;
      return Readable.from(counted(), { objectMode: false });
    },
  });
  await textOf(answer);
}

function partsOf(size: number, partBytes: number): Part[] {
  const count = Math.ceil(size / partBytes);
  return Array.from({ length: count }, (_, at) => {
    const from = at * partBytes;
    return { number: at + 1, from, bytes: Math.min(partBytes, size - from) };
  });
}

/** One upload in parts. */
class PartedUpload {
  readonly #transfer: Transfer;
  readonly #api: ApiConnection;
  readonly #path: string;
  readonly #state: string;

  constructor(transfer: Transfer, state: string) {
    const [, base, tenant, repo] = OF_HOST.exec(transfer.href) ?? [];
    if (base === undefined) throw new CommandFailure("the object is too large for this host to take at once");
    this.#transfer = transfer;
    this.#api = new ApiConnection({ base, token: "" }, transfer.headers["Authorization"]);
    this.#path = `/repos/${tenant}/${repo}/uploads`;
    this.#state = state;
  }

  /** Returns the upload that was interrupted, and the bytes of the parts of it that have come; else a new one. */
  async begin(partBytes: number): Promise<{ readonly id: string; readonly come: ReadonlyMap<number, number> }> {
    const before = existsSync(this.#state) ? (JSON.parse(readFileSync(this.#state, "utf8")) as unknown) : undefined;
    if (isJson(before) && before["href"] === this.#transfer.href && before["part_bytes"] === partBytes) {
      const id = textAt(before, "upload");
      try {
        const parts = listAt(await this.#api.ask("GET", `${this.#path}/${id}`), "parts");
        return { id, come: new Map(parts.map((part) => [Number(part["number"]), Number(part["bytes"])])) };
      } catch (error) {
        if (!(error instanceof HostRefusal) || error.status !== 404) throw error;
      }
    }
    const id = textAt(await this.#api.ask("POST", this.#path), "id");
    writeFileSync(this.#state, JSON.stringify({ href: this.#transfer.href, part_bytes: partBytes, upload: id }));
    return { id, come: new Map() };
  }

  /** Sends the parts that have not come, and makes the object of all. */
  async run(file: string, partBytes: number): Promise<void> {
    const { oid, size, onBytes } = this.#transfer;
    const { id, come } = await this.begin(partBytes);
    const left: Part[] = [];
    for (const part of partsOf(size, partBytes)) {
      if (come.get(part.number) === part.bytes) onBytes(part.bytes);
      else left.push(part);
    }
    const url = apiUrl(this.#api.base, `${this.#path}/${id}`);
    const headers = { Authorization: this.#api.authorization };
    const send = async (): Promise<void> => {
      for (let part = left.shift(); part !== undefined; part = left.shift())
        await put(`${url}/parts/${part.number}`, headers, { ...part, file, onBytes });
    };
    await Promise.all(Array.from({ length: AT_ONCE }, send));
    const body = Buffer.from(JSON.stringify({ oid, size }));
    const answer = await exchangeUntilDone(`${url}/lfs`, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json", "Content-Length": body.length },
      body: () => Readable.from([body]),
    });
    await textOf(answer);
    rmSync(this.#state);
  }
}

/** Uploads an object from a file. @throws HostRefusal, CommandFailure */
export async function uploadObject(transfer: Transfer, file: string, partBytes: number): Promise<void> {
  const { oid, size, href, headers, onBytes } = transfer;
  if (size <= partBytes || !OF_HOST.test(href)) await put(href, headers, { file, from: 0, bytes: size, onBytes });
  else await new PartedUpload(transfer, await transferFile(`${oid}.json`)).run(file, partBytes);
}
