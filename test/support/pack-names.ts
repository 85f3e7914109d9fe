/**
 * What is in a pack, read with Node's zlib and crypto alone: quicker than a process of git for each of a thousand small packs.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { inflateSync, type InputType } from "node:zlib";
import { objectId } from "./git-raw.ts";

/** An object as it is, without the header that its name is made with. */
export type KnownObject = { readonly type: string; readonly content: Buffer };
type Inflated = { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };

const TYPES = ["", "commit", "tree", "blob", "tag"];
const OFS_DELTA = 6;
const REF_DELTA = 7;

/** Inflates what begins at `input`; gives what it took of it, too. */
function inflate(input: InputType): { content: Buffer; taken: number } {
  const { buffer, engine } = inflateSync(input, { info: true }) as unknown as Inflated;
  return { content: buffer, taken: engine.bytesWritten };
}

function applyDelta(base: Buffer, delta: Buffer): Buffer {
  let at = 0;
  const skipSize = (): void => {
    while ((delta[at++] ?? 0) >= 128);
  };
  skipSize();
  skipSize();
  const pieces: Buffer[] = [];
  while (at < delta.length) {
    const op = delta[at++] ?? 0;
    if (op < 128) {
      pieces.push(delta.subarray(at, at + op));
      at += op;
      continue;
    }
    let [offset, size] = [0, 0];
    for (let bit = 0; bit < 4; bit++) if (op & (1 << bit)) offset += (delta[at++] ?? 0) * 256 ** bit;
    for (let bit = 0; bit < 3; bit++) if (op & (16 << bit)) size += (delta[at++] ?? 0) * 256 ** bit;
    pieces.push(base.subarray(offset, offset + (size === 0 ? 65_536 : size)));
  }
  return Buffer.concat(pieces);
}

/** An entry whose base may be somewhere else in the pack: by its offset, or by its name. */
type Entry = {
  readonly offset: number;
  readonly type: number;
  readonly base: number | string;
  readonly content: Buffer;
};

function* entriesOf(pack: Buffer): Generator<Entry> {
  let at = 12;
  for (let left = pack.readUInt32BE(8); left > 0; left--) {
    const offset = at;
    let byte = pack[at++] ?? 0;
    const type = (byte >> 4) & 7;
    while (byte >= 128) byte = pack[at++] ?? 0;
    let base: number | string = "";
    if (type === OFS_DELTA) {
      byte = pack[at++] ?? 0;
      let distance = byte & 127;
      while (byte >= 128) {
        byte = pack[at++] ?? 0;
        distance = (distance + 1) * 128 + (byte & 127);
      }
      base = offset - distance;
    } else if (type === REF_DELTA) {
      base = pack.toString("hex", at, at + 20);
      at += 20;
    }
    const { content, taken } = inflate(pack.subarray(at));
    at += taken;
    yield { offset, type, base, content };
  }
}

/** Gives the names of the objects of a pack of SHA-1 that stands alone, in no order. */
export function packNames(pack: Buffer): string[] {
  return namesInPack(pack, new Map());
}

/** The same of a pack whose deltas may be from `others`, by their names. */
export function namesInPack(pack: Buffer, others: ReadonlyMap<string, KnownObject>): string[] {
  const known = new Map<number | string, KnownObject>(others);
  const names: string[] = [];
  let left = [...entriesOf(pack)];
  while (left.length > 0) {
    const waiting: Entry[] = [];
    for (const entry of left) {
      const base = known.get(entry.base);
      if (entry.type >= OFS_DELTA && base === undefined) {
        waiting.push(entry);
        continue;
      }
      const content = base === undefined ? entry.content : applyDelta(base.content, entry.content);
      const found = { type: base?.type ?? TYPES[entry.type] ?? "", content };
      const name = objectId(found.type, found.content);
      known.set(entry.offset, found).set(name, found);
      names.push(name);
    }
    if (waiting.length === left.length) throw new Error("the pack does not stand alone");
    left = waiting;
  }
  return names;
}
