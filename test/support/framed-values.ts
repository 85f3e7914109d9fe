/**
 * Values on a pipe that blocks, each after its length.
 *
 * @packageDocumentation
 */
import { readSync, writeSync } from "node:fs";
import { deserialize, serialize } from "node:v8";

const LENGTH_BYTES = 4;

/** Writes a value. Returns when all of it is in the pipe. */
export function sendTo(pipe: number, value: unknown): void {
  const content = serialize(value);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(content.length);
  for (let rest = Buffer.concat([length, content]); rest.length > 0;) rest = rest.subarray(writeSync(pipe, rest));
}

/** Reads this number of bytes. Returns `undefined` if the pipe ends before that. */
function bytesOf(pipe: number, length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length;) {
    const taken = readSync(pipe, bytes, at, length - at, null);
    if (taken === 0) return undefined;
    at += taken;
  }
  return bytes;
}

/** Waits for a value; `undefined` at the end of the pipe. */
export function receiveFrom(pipe: number): unknown {
  const length = bytesOf(pipe, LENGTH_BYTES)?.readUInt32BE();
  const content = length === undefined ? undefined : bytesOf(pipe, length);
  return content === undefined ? undefined : deserialize(content);
}
