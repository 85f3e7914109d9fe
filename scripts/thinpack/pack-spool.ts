/**
 * Cuts a pack that git sends into files of a part's size, and keeps them with the state of its upload until the push is
 * over. So an interrupted push can be continued.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { isJson, textAt } from "./json.ts";

/** The state of an upload. */
export type SpoolState = {
  /** Names the push by its remote, commands and options. */
  readonly push: string;
  /** The upload's id at the host. */
  readonly upload: string;
  /** The number of parts; 0 while they are still being cut. */
  readonly parts: number;
};

/** Names a push. */
export function nameOfPush(url: string, head: Uint8Array): string {
  return createHash("sha256").update(url).update("\0").update(head).digest("hex");
}

/** The files of one push in a directory. */
export class PackSpool {
  readonly #directory: string;
  readonly #partBytes: number;
  #open: FileHandle | undefined;
  #used = 0;
  #parts = 0;

  constructor(directory: string, partBytes: number) {
    this.#directory = directory;
    this.#partBytes = partBytes;
  }

  /** The number of parts begun so far. */
  get parts(): number {
    return this.#parts;
  }

  /** The file of a part. */
  file(part: number): string {
    return join(this.#directory, `part-${part}`);
  }

  /** Bytes of a part. */
  bytes(part: number): number {
    return statSync(this.file(part)).size;
  }

  /** Appends to the pack; returns the parts that have become whole. */
  async append(piece: Uint8Array): Promise<number[]> {
    const whole: number[] = [];
    for (let at = 0; at < piece.length;) {
      if (this.#open === undefined) await this.#next();
      const length = Math.min(piece.length - at, this.#partBytes - this.#used);
      await this.#open?.write(piece, at, length);
      at += length;
      this.#used += length;
      if (this.#used < this.#partBytes) continue;
      await this.#close();
      whole.push(this.#parts);
    }
    return whole;
  }

  /** Ends the pack; returns the last part where it was not whole yet. */
  async finish(): Promise<number[]> {
    if (this.#open === undefined) return [];
    await this.#close();
    return [this.#parts];
  }

  /** Reads the state of an interrupted upload. */
  readState(): SpoolState | undefined {
    const file = join(this.#directory, "state.json");
    if (!existsSync(file)) return undefined;
    try {
      const json: unknown = JSON.parse(readFileSync(file, "utf8"));
      if (!isJson(json) || typeof json["parts"] !== "number") return undefined;
      return { push: textAt(json, "push"), upload: textAt(json, "upload"), parts: json["parts"] };
    } catch {
      // It was cut off while it was written: the upload begins anew.
      return undefined;
    }
  }

  /** Keeps what is known. */
  writeState(state: SpoolState): void {
    mkdirSync(this.#directory, { recursive: true });
    writeFileSync(join(this.#directory, "state.json"), JSON.stringify(state));
  }

  /** Continues with the parts that are there. */
  resume(parts: number): void {
    this.#parts = parts;
  }

  /** Deletes all. */
  async clear(): Promise<void> {
    await this.#close();
    rmSync(this.#directory, { recursive: true, force: true });
    this.#parts = 0;
  }

  async #next(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    this.#parts += 1;
    this.#used = 0;
    this.#open = await open(this.file(this.#parts), "w", 0o600);
  }

  async #close(): Promise<void> {
    await this.#open?.close();
    this.#open = undefined;
  }
}
