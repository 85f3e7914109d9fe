/**
 * Downloads a Git LFS object into a file that stays when it is interrupted, and goes on there.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, rmSync, statSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import { CommandFailure } from "./failure.ts";
import { exchange, isPassing, refusalOf } from "./http-exchange.ts";
import type { Transfer } from "./lfs-agent.ts";
import { transferFile } from "./lfs-transfers-directory.ts";

/** Milliseconds before each new attempt. They begin anew once bytes have come. */
const AGAIN_AFTER = [500, 1000, 2000, 4000, 8000, 15_000];
const PARTIAL = 206;
const NO_RANGE = 416;

const bytesIn = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0; // A file that is not there has none.

async function ask({ oid, href, headers }: Transfer, from: number): Promise<IncomingMessage> {
  const range = from === 0 ? {} : { Range: `bytes=${from}-`, "If-Range": `"${oid}"` };
  const answer = await exchange(href, { method: "GET", headers: { ...headers, ...range } });
  const status = answer.statusCode ?? 500;
  if (status >= 400 && status !== NO_RANGE) throw await refusalOf(answer);
  return answer;
}

/** Gets the rest of an object, as far as it comes. */
async function getRest(transfer: Transfer, file: string): Promise<void> {
  const from = bytesIn(file);
  const answer = await ask(transfer, from);
  if (answer.statusCode === NO_RANGE) {
    answer.resume();
    rmSync(file);
    throw new CommandFailure("what was downloaded before is longer than the object");
  }
  answer.on("data", (piece: Buffer) => transfer.onBytes(piece.length));
  await pipeline(answer, createWriteStream(file, { flags: answer.statusCode === PARTIAL ? "a" : "w" }));
}

/** Gets the rest again and again, while it breaks off for reasons that may pass. */
async function getAll(transfer: Transfer, file: string): Promise<void> {
  for (let attempt = 0; ;) {
    const before = bytesIn(file);
    try {
      return await getRest(transfer, file);
    } catch (error) {
      if (bytesIn(file) > before) attempt = 0;
      const pause = AGAIN_AFTER[attempt++];
      if (pause === undefined || !isPassing(error)) throw error;
      await wait(pause);
    }
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/**
 * Downloads an object. Returns the file that has it, which the client takes away.
 *
 * @throws HostRefusal, CommandFailure
 */
export async function downloadObject(transfer: Transfer): Promise<string> {
  const { oid, size, onBytes } = transfer;
  const file = await transferFile(oid);
  onBytes(bytesIn(file));
  // What is there whole is not asked for again, but for an object of no bytes, whose file may not be there.
  if (size === 0 || bytesIn(file) !== size) await getAll(transfer, file);
  if ((await hashOf(file)) === oid) return file;
  rmSync(file);
  throw new CommandFailure("the bytes that came are not the object's: pull again");
}
