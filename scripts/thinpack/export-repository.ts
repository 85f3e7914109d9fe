/**
 * Copies a repository out of the bucket, through the API.
 *
 * @packageDocumentation
 */
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ApiConnection } from "./api-connection.ts";
import { CommandFailure } from "./failure.ts";
import { type Json, listAt } from "./json.ts";

/** What was copied. */
export type Exported = { readonly files: number; readonly bytes: number };

/** Told how it goes. */
export interface ExportProgress {
  /** Called once, with the bytes of all files. */
  begin(bytes: number): void;
  add(bytes: number): void;
}

function fileOf({ key, size }: Json): { key: string; size: number } {
  if (typeof key !== "string" || typeof size !== "number") throw new CommandFailure("the host lists what is no file");
  return { key, size };
}

function counted(count: (bytes: number) => void): Transform {
  return new Transform({
    transform: (piece: Buffer, _encoding, done) => {
      count(piece.length);
      done(null, piece);
    },
  });
}

/** Copies every file of the repository into `directory`, which is a bare repository then. `path` is the repository's in the API. */
export async function exportRepository(
  api: ApiConnection,
  path: string,
  directory: string,
  progress?: ExportProgress,
): Promise<Exported> {
  const files = listAt(await api.ask("GET", `${path}/export`), "files").map(fileOf);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  progress?.begin(bytes);
  for (const { key, size } of files) {
    const target = resolve(directory, key);
    if (!target.startsWith(resolve(directory) + sep)) throw new CommandFailure(`a file named ${key}`);
    mkdirSync(dirname(target), { recursive: true });
    const name = key.split("/").map(encodeURIComponent).join("/");
    const { body } = await api.send("GET", `${path}/export/${name}`);
    let copied = 0;
    const counting = counted((count) => {
      copied += count;
      progress?.add(count);
    });
    await pipeline(body === null ? Readable.from([]) : Readable.from(body), counting, createWriteStream(target));
    if (copied !== size) throw new CommandFailure(`${key} broke off: ${copied} of ${size} bytes came`);
  }
  return { files: files.length, bytes };
}
