/**
 * Requests that no git client would send: packs built by hand, commands and capabilities of one's choosing. Written on its own,
 * with Node's zlib and crypto, so that it shares no mistake with what it tests.
 *
 * @packageDocumentation
 * @see gitprotocol-http(5), gitformat-pack(5)
 */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import type { ObjectFormatName } from "../../src/object/object-id.ts";
import { WAIT_LIMIT } from "./time-limits.ts";

/** The oid of nothing. */
export const ZERO = "0".repeat(40);
const TYPES = { commit: 1, tree: 2, blob: 3, tag: 4, "ofs-delta": 6, "ref-delta": 7 } as const;

/** A pack entry to build. */
export type RawEntry = {
  readonly type: keyof typeof TYPES;
  /** What is deflated: the object, or the delta. */
  readonly content: Uint8Array | string;
  /** The size in the entry's header, where it should lie. */
  readonly size?: number;
  /** The base: an oid for a ref-delta, a distance in bytes for an ofs-delta. */
  readonly base?: string | number;
};

/** One command of a push. */
export type RawCommand = { readonly name: string; readonly old?: string; readonly new?: string };

/** An HTTP answer with its body read. */
export type RawAnswer = { readonly status: number; readonly headers: Headers; readonly body: Buffer };

/** The oid of an object. */
export function objectId(type: string, content: Uint8Array | string, hash: ObjectFormatName = "sha1"): string {
  const bytes = Buffer.from(content);
  return createHash(hash).update(`${type} ${bytes.length}\0`).update(bytes).digest("hex");
}

/** One pkt-line. */
export function pkt(content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

/** A request of pkt-lines: strings are lines (without the newline), "0000" and "0001" are themselves. */
export function pktLines(...lines: string[]): Buffer {
  return Buffer.concat(
    lines.map((line) => (line === "0000" || line === "0001" ? Buffer.from(line) : pkt(`${line}\n`))),
  );
}

/** The type-and-size header of a pack entry. */
function entryHeader(type: number, size: number): number[] {
  const bytes: number[] = [];
  let rest = Math.floor(size / 16);
  let byte = (type << 4) | (size % 16);
  while (rest > 0) {
    bytes.push(byte | 0x80);
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  return [...bytes, byte];
}

/** The distance of an ofs-delta. */
function distanceBytes(distance: number): number[] {
  const bytes = [distance & 127];
  for (let rest = distance >> 7; rest > 0; rest >>= 7) bytes.unshift(0x80 | (--rest & 127));
  return bytes;
}

/** One entry, with its data deflated. */
export function packEntry(entry: RawEntry): Buffer {
  const content = Buffer.from(entry.content);
  const header = entryHeader(TYPES[entry.type], entry.size ?? content.length);
  const base = typeof entry.base === "number" ? distanceBytes(entry.base) : Buffer.from(entry.base ?? "", "hex");
  return Buffer.concat([Buffer.from(header), Buffer.from(base), deflateSync(content)]);
}

/** Adds the trailer that a pack's bytes need. */
export function withTrailer(bytes: Uint8Array, hash: ObjectFormatName = "sha1"): Buffer {
  return Buffer.concat([bytes, createHash(hash).update(bytes).digest()]);
}

/** A whole pack. `count` is what the header says, where it should lie. */
export function buildPack(
  entries: readonly RawEntry[],
  count = entries.length,
  hash: ObjectFormatName = "sha1",
): Buffer {
  const header = Buffer.from("PACK\0\0\0\u0002\0\0\0\0", "latin1");
  header.writeUInt32BE(count, 8);
  return withTrailer(Buffer.concat([header, ...entries.map(packEntry)]), hash);
}

/** A tree object of `mode name oid` rows, in the order given. */
export function treeOf(...rows: [mode: string, name: string, oid: string][]): Buffer {
  return Buffer.concat(
    rows.map(([mode, name, oid]) => Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, "hex")])),
  );
}

/** A commit object. `lines` replaces the author and committer lines. */
export function commitOf(tree: string, parents: readonly string[] = [], lines?: string): string {
  const who = "A U Thor <author@example.com> 1700000000 +0000";
  const people = lines ?? `author ${who}\ncommitter ${who}`;
  return `tree ${tree}\n${parents.map((parent) => `parent ${parent}\n`).join("")}${people}\n\nmessage\n`;
}

/** A delta that inserts `content` whole, for a base of the given size. */
export function insertingDelta(baseSize: number, content: string, claimed = content.length): Buffer {
  const size = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...size(value >> 7)]);
  return Buffer.concat([Buffer.from([...size(baseSize), ...size(claimed), content.length]), Buffer.from(content)]);
}

/** The body of a receive-pack request. */
export function pushBody(
  commands: readonly RawCommand[],
  pack: Uint8Array = new Uint8Array(),
  capabilities = "report-status",
): Buffer {
  const nothing = "0".repeat((commands[0]?.new ?? commands[0]?.old ?? ZERO).length);
  const lines = commands.map(({ name, old, new: next }, at) =>
    pkt(`${old ?? nothing} ${next ?? nothing} ${name}${at === 0 ? `\0 ${capabilities}` : ""}\n`),
  );
  return Buffer.concat([...lines, Buffer.from("0000"), pack]);
}

/** Sends a request with the credentials that the URL carries, which may take `limit` milliseconds. */
export async function send(
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: Uint8Array; limit?: number } = {},
): Promise<RawAnswer> {
  const target = new URL(url);
  const headers = new Headers(init.headers);
  if (target.password !== "") headers.set("Authorization", `Basic ${btoa(`${target.username}:${target.password}`)}`);
  target.username = "";
  target.password = "";
  const body = init.body === undefined ? null : new Uint8Array(init.body);
  const response = await fetch(target, {
    method: init.method ?? (body === null ? "GET" : "POST"),
    headers,
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(init.limit ?? WAIT_LIMIT),
  });
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
}

/** POSTs to a service of a remote. */
export async function post(
  remote: string,
  service: string,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  return await send(`${remote}/git-${service}`, {
    body,
    headers: { "Content-Type": `application/x-git-${service}-request`, ...headers },
  });
}

/** The payloads of pkt-lines; a flush is "0000", a delimiter "0001". Stops at bytes that are no pkt-line. */
export function parsePkts(body: Uint8Array): Buffer[] {
  const bytes = Buffer.from(body);
  const payloads: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = Number.parseInt(bytes.toString("latin1", at, at + 4), 16);
    if (Number.isNaN(length)) break;
    if (length < 4) payloads.push(bytes.subarray(at, at + 4));
    else payloads.push(bytes.subarray(at + 4, at + length));
    at += Math.max(length, 4);
  }
  return payloads;
}

/** The lines of a report-status that came without side-band. */
export function reportLines(body: Uint8Array): string[] {
  return parsePkts(body)
    .map((payload) => payload.toString("utf8").trimEnd())
    .filter((line) => line !== "0000");
}

/** The pack of an upload-pack answer: what follows the acknowledgements, out of band 1 where there is one. */
export function packOf(body: Uint8Array): Buffer {
  const payloads = parsePkts(body);
  const banded = payloads.filter((payload) => payload[0] === 1).map((payload) => payload.subarray(1));
  if (banded.length > 0) return Buffer.concat(banded);
  const bytes = Buffer.from(body);
  return bytes.subarray(bytes.indexOf("PACK"));
}
