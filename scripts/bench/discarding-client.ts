/**
 * A client that asks for everything and throws it away, so that a clone's time is the server's and not `git index-pack`'s.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5)
 */
import type { ObjectFormat } from "../../src/object/object-id.ts";
import { request } from "node:http";

/** The figures of a clone whose pack is thrown away. */
export type Discarded = {
  /** Seconds from the first request to the last byte. */
  readonly wall: number;
  /** Seconds to the first byte of the pack. */
  readonly firstByte: number;
  /** Bytes of the answer that holds the pack. */
  readonly bytes: number;
};

const line = (text: string): string => (text.length + 5).toString(16).padStart(4, "0") + text + "\n";

/** POSTs a v2 command; `onData` sees the body as it comes. */
function command(remote: string, token: string, body: string, onData: (piece: Buffer) => void): Promise<void> {
  const headers = {
    Authorization: `Bearer ${token}`,
    "Content-Type": "application/x-git-upload-pack-request",
    "Content-Length": Buffer.byteLength(body),
    "Git-Protocol": "version=2",
  };
  return new Promise((resolve, reject) => {
    const post = request(`${remote}/git-upload-pack`, { method: "POST", headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${remote}: ${response.statusCode}`));
      response.on("data", onData);
      response.on("end", resolve);
      response.on("error", reject);
    });
    post.on("error", reject);
    post.end(body);
  });
}

/** Which objects to fetch. */
export type Wanted = { readonly format: ObjectFormat; readonly wants: readonly string[] };

/** Fetches objects by their names, and none that they name, as a clone without blobs does. Returns the pack. */
export async function fetchObjects(remote: string, token: string, { format, wants }: Wanted): Promise<Buffer> {
  const args = ["thin-pack", "no-progress", "ofs-delta", "filter blob:none", ...wants.map((oid) => `want ${oid}`)];
  const body = [...args, "done"].map(line).join("");
  const pieces: Buffer[] = [];
  const begin = `${line("command=fetch")}${line(`object-format=${format.name}`)}0001`;
  await command(remote, token, `${begin}${body}0000`, (piece) => pieces.push(piece));
  const answer = Buffer.concat(pieces);
  const pack = packOf(answer);
  if (pack.length === 0) throw new Error(`${remote}: no pack: ${answer.toString("latin1", 0, 300)}`);
  return pack;
}

/** Returns the bytes of the first side-band. */
function packOf(answer: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 4 <= answer.length;) {
    const length = Number.parseInt(answer.toString("latin1", at, at + 4), 16);
    if (length > 4 && answer[at + 4] === 1) pieces.push(answer.subarray(at + 5, at + length));
    at += Math.max(length, 4);
  }
  return Buffer.concat(pieces);
}

/** Lists the refs and fetches all they name. */
export async function discardClone(remote: string, token: string, format: ObjectFormat): Promise<Discarded> {
  const spoken = `object-format=${format.name}`;
  const began = performance.now();
  const refs: Buffer[] = [];
  await command(
    remote,
    token,
    `${line("command=ls-refs")}${line(spoken)}0001${line("peel")}${line("symrefs")}0000`,
    (piece) => refs.push(piece),
  );
  const oids = Buffer.concat(refs)
    .toString("latin1")
    .matchAll(new RegExp(`[0-9a-f]{4}([0-9a-f]{${format.hexSize}}) `, "g"));
  const wants = [...new Set([...oids].map((match) => match[1] ?? ""))];
  const body = ["ofs-delta", "no-progress", ...wants.map((oid) => `want ${oid}`), "done"].map(line).join("");
  let [bytes, firstByte] = [0, 0];
  await command(remote, token, `${line("command=fetch")}${line(spoken)}0001${body}0000`, (piece) => {
    // Acknowledgements and section names are short; the pack is not.
    if (firstByte === 0 && bytes + piece.length > 4096) firstByte = (performance.now() - began) / 1000;
    bytes += piece.length;
  });
  return { wall: (performance.now() - began) / 1000, firstByte, bytes };
}
