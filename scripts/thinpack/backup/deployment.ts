/**
 * The host that is backed up, or restored, as its operator sees it.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, rmSync, statSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ApiConnection } from "../api-connection.ts";
import { apiUrl, pathPieces } from "../api-path.ts";
import { CommandFailure, HostRefusal } from "../failure.ts";
import { exchangeUntilDone, isPassing, type Sent } from "../http-exchange.ts";
import { isJson, type Json, listAt, textAt } from "../json.ts";
import { type BackupDirectory, type CopiedFile, isTag, type UnitName } from "./backup-directory.ts";

/** How often a file is asked for whose transfer breaks off: each time from where it broke off. */
const MOST_TRIES = 6;
/** Bytes above which a file is sent in parts: a request may have 100 MB behind Cloudflare. Parts have as many. */
const PART_BYTES = 64 * 1024 * 1024;

/** A file of the bucket, as the host lists it. */
export type ListedFile = { readonly key: string; readonly size: number; readonly etag: string };

function listedFile(json: Json): ListedFile {
  const { size } = json;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw new CommandFailure("the host lists a file without a size");
  return { key: textAt(json, "key"), size, etag: textAt(json, "etag") };
}

const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0);

/** The MD5 and the SHA-256 of a file. */
async function sumsOf(path: string): Promise<{ readonly md5: string; readonly sha256: string }> {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  for await (const bytes of createReadStream(path)) {
    const piece = Buffer.from(bytes);
    md5.update(piece);
    sha256.update(piece);
  }
  return { md5: md5.digest("hex"), sha256: sha256.digest("hex") };
}

/** Whether a file may be what the bucket says: its tag is the MD5, unless it was written in parts. */
function hasTag(etag: string, md5: string): boolean {
  return !isTag(etag) || etag === md5;
}

/** A deployment, with the operator's token. */
export class Deployment {
  readonly api: ApiConnection;
  readonly #partBytes: number;
  /** Bytes that were copied in either direction. */
  bytes = 0;

  /** Files of more than `partBytes` are sent in parts of that size. */
  constructor(api: ApiConnection, partBytes = PART_BYTES) {
    this.api = api;
    this.#partBytes = partBytes;
  }

  #path(unit: UnitName, what: "rows" | "objects" | "recoveries"): string {
    return `/admin/${what}/${unit.kind}/${pathPieces(unit.name)}`;
  }

  async #exchange(path: string, { headers, ...sent }: Sent): Promise<IncomingMessage> {
    return await exchangeUntilDone(apiUrl(this.api.base, path), {
      ...sent,
      headers: { Authorization: this.api.authorization, ...headers },
    });
  }

  /** Names all tenants. */
  async tenants(): Promise<string[]> {
    return (await this.api.list("/tenants", "tenants")).map((row) => textAt(row, "name").toLowerCase());
  }

  /** Opens the rows of an object. `same`: they have this tag still; `undefined`: there is no such object. */
  async rows(
    unit: UnitName,
    etag: string,
  ): Promise<{ readonly etag: string; readonly body: AsyncIterable<Uint8Array> } | "same" | undefined> {
    const headers = etag === "" ? {} : { "If-None-Match": etag };
    try {
      const answer = await this.#exchange(this.#path(unit, "rows"), { method: "GET", headers });
      if (answer.statusCode !== 304) return { etag: answer.headers.etag ?? "", body: answer }; // A long copy has none.
      answer.resume();
      return "same";
    } catch (error) {
      if (error instanceof HostRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Whether an object is there. */
  async exists(unit: UnitName): Promise<boolean> {
    return (await this.api.ask("GET", this.#path(unit, "objects")))["exists"] === true;
  }

  /** Makes an object of its rows. @throws HostRefusal with 409 if it is there, and is not to be replaced. */
  async putRows(unit: UnitName, rows: () => AsyncIterable<Uint8Array>, replace: boolean): Promise<void> {
    const answer = await this.#exchange(`${this.#path(unit, "rows")}${replace ? "?replace=1" : ""}`, {
      method: "PUT",
      headers: { "Content-Type": "application/x-ndjson" },
      body: () => Readable.from(rows()),
    });
    answer.resume();
  }

  /** Puts an object back to a time. Returns the platform's bookmark of before. */
  async recover(unit: UnitName, at: string): Promise<string> {
    return textAt(await this.api.ask("POST", this.#path(unit, "recoveries"), { at }), "undo");
  }

  /** Lists the files of the bucket whose keys begin with `prefix`. */
  async *files(prefix: string): AsyncGenerator<ListedFile> {
    for (let cursor = ""; ;) {
      const query = new URLSearchParams({ prefix, ...(cursor === "" ? {} : { cursor }) });
      const page = await this.api.ask("GET", `/admin/files?${query.toString()}`);
      yield* listAt(page, "files").map(listedFile);
      cursor = textAt(page, "cursor");
      if (cursor === "") return;
    }
  }

  /** Looks a file of the bucket up; `undefined` if there is none. */
  async file(key: string): Promise<ListedFile | undefined> {
    for await (const file of this.files(key)) if (file.key === key) return file;
    return undefined;
  }

  /**
   * Copies a file of the bucket into the backup, from where an earlier try broke off. One that is there already is read
   * again, and not copied if it is shown to be the same: by its tag, or by the checksum that was noted under this tag (`known`,
   * or in the directory). Returns `undefined` if it has gone, or is another by now.
   */
  async copy(file: ListedFile, into: BackupDirectory, known?: CopiedFile): Promise<CopiedFile | undefined> {
    const { key, size, etag } = file;
    const path = into.filePath(key);
    const noted = [known, into.noted(key)].filter((each) => each?.etag === etag && each.size === size);
    if (existsSync(path) && sizeOf(path) === size && (isTag(etag) || noted.length > 0)) {
      const { md5, sha256 } = await sumsOf(path);
      if (isTag(etag) ? etag === md5 : noted.some((each) => each?.sha256 === sha256)) return { ...file, sha256 };
    }
    const partial = into.partialPath(`${key} ${etag}`);
    if (!(await this.#fetchInto(partial, file))) return undefined;
    const { md5, sha256 } = await sumsOf(partial);
    if (sizeOf(partial) !== size || !hasTag(etag, md5)) {
      rmSync(partial);
      throw new CommandFailure(`${key} did not come as it is in the bucket`);
    }
    const copied = { key, size, etag, sha256 };
    into.takeIn(partial, copied);
    return copied;
  }

  /** Fetches what a partial file lacks. Returns whether the file is still there. */
  async #fetchInto(partial: string, { key, size, etag }: ListedFile): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      const from = sizeOf(partial);
      if (from >= size && existsSync(partial)) return true;
      try {
        const answer = await this.#exchange(`/admin/files/${pathPieces(key)}`, {
          method: "GET",
          headers: { "If-Match": `"${etag}"`, ...(from === 0 ? {} : { Range: `bytes=${from}-` }) },
        });
        answer.on("data", (bytes: Buffer) => void (this.bytes += bytes.length));
        await pipeline(answer, createWriteStream(partial, { flags: from === 0 ? "w" : "a" }));
      } catch (error) {
        if (error instanceof HostRefusal && [404, 412].includes(error.status)) return false;
        if (tries === MOST_TRIES || !isPassing(error)) throw error;
      }
    }
  }

  /** Writes a file of the backup into the bucket. The bucket checks what comes. */
  async putFile({ key, sha256, size }: CopiedFile, from: BackupDirectory): Promise<void> {
    const path = from.copyPath({ key, sha256 });
    this.bytes += size;
    if (size > this.#partBytes) return await this.#putParts(key, path, size);
    const answer = await this.#exchange(`/admin/files/${pathPieces(key)}?sha256=${sha256}`, {
      method: "PUT",
      headers: { "Content-Type": "application/octet-stream", "Content-Length": size },
      body: () => createReadStream(path),
    });
    answer.resume();
  }

  async #putParts(key: string, path: string, size: number): Promise<void> {
    const partBytes = this.#partBytes;
    const upload = textAt(await this.api.ask("POST", "/admin/file-uploads", { key }), "upload");
    const parts: { number: number; etag: string }[] = [];
    for (let start = 0; start < size; start += partBytes) {
      const number = parts.length + 1;
      const end = Math.min(size, start + partBytes);
      const query = new URLSearchParams({ key, upload });
      const answer = await this.#exchange(`/admin/file-uploads/parts/${number}?${query.toString()}`, {
        method: "PUT",
        headers: { "Content-Type": "application/octet-stream", "Content-Length": end - start },
        body: () => createReadStream(path, { start, end: end - 1 }),
      });
      const pieces: Buffer[] = [];
      for await (const piece of answer) pieces.push(Buffer.from(piece));
      const json: unknown = JSON.parse(Buffer.concat(pieces).toString("utf8"));
      parts.push({ number, etag: isJson(json) ? textAt(json, "etag") : "" });
    }
    const done = await this.api.ask("POST", "/admin/file-uploads/complete", { key, upload, parts });
    if (done["size"] !== size) throw new CommandFailure(`${key} did not arrive whole`);
  }
}
