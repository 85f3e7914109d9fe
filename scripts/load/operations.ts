/**
 * What clients of a load do: each operation is one or two requests, as git, a program or a browser sends them, and its answer is checked.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5)
 */
import { createHash } from "node:crypto";
import {
  buildPack,
  commitOf,
  objectId,
  parsePkts,
  pktLines,
  pushBody,
  reportLines,
  treeOf,
} from "../../test/support/git-raw.ts";

/** The kinds of operations: git's, which every host knows, and this host's own. */
export const GIT_KINDS = ["clone", "fetch", "push", "poll"] as const;
export const OWN_KINDS = ["api", "page"] as const;
export type Kind = (typeof GIT_KINDS)[number] | (typeof OWN_KINDS)[number];

/** How often each kind comes up. */
export const WEIGHTS: Readonly<Record<Kind, number>> = { clone: 4, fetch: 12, push: 8, poll: 50, api: 16, page: 10 };

/** Where a client goes. */
export type Place = { readonly base: string; readonly token: string; readonly repository: string };

/** The end of an operation: `limited` where the host said that it has no room, and when to come again. */
export type Ended = { readonly kind: "ok"; readonly bytes: number } | { readonly kind: "limited" };

/** An answer that is wrong. */
export class WrongAnswer extends Error {}

/** Something a limit refused, as it is documented. */
class Limited extends Error {}

/** The bytes of a commit's file. */
const FILE_BYTES = 400;
const API_PATHS = ["commits?limit=20", "tree/main/", "refs", ""];
const PAGE_PATHS = ["", "/commits/main", "/branches", "/tree/main"];

const V2 = { "Git-Protocol": "version=2", "Content-Type": "application/x-git-upload-pack-request" };

/** One client. It has a branch of its own, and remembers what it has. */
export class LoadClient {
  readonly #place: Place;
  readonly #name: string;
  /** The commit that its branch is at, and the one that it has fetched. */
  #tip: string | undefined;
  #has: string | undefined;
  #turn = 0;

  constructor(place: Place, name: string) {
    this.#place = place;
    this.#name = name;
  }

  /**
   * Does one operation.
   *
   * @throws WrongAnswer
   */
  async act(kind: Kind): Promise<Ended> {
    this.#turn += 1;
    try {
      return { kind: "ok", bytes: await this.#act(kind) };
    } catch (error) {
      if (error instanceof Limited) return { kind: "limited" };
      throw error;
    }
  }

  async #act(kind: Kind): Promise<number> {
    switch (kind) {
      case "clone":
        return await this.#fetch();
      case "fetch":
        return await this.#fetch(this.#has);
      case "push":
        return await this.#push();
      case "poll":
        return (await this.#refs()).bytes;
      case "api":
        return await this.#get(`/api/v1/repos/${this.#place.repository}`, API_PATHS, "/");
      case "page":
        return await this.#get(`/${this.#place.repository}`, PAGE_PATHS, "");
    }
  }

  async #ask(path: string, headers: Record<string, string>, body?: Buffer): Promise<Buffer> {
    const { base, token } = this.#place;
    const answer = await fetch(`${base}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { ...headers, Authorization: `Basic ${btoa(`load:${token}`)}` },
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (answer.ok) return bytes;
    if ((answer.status === 503 || answer.status === 429) && answer.headers.has("Retry-After")) throw new Limited();
    throw new WrongAnswer(`${path}: ${answer.status} ${bytes.toString("utf8", 0, 300)}`);
  }

  async #get(path: string, rests: readonly string[], separator: string): Promise<number> {
    const rest = rests[this.#turn % rests.length] ?? "";
    const bytes = await this.#ask(rest === "" ? path : `${path}${separator}${rest}`, {});
    if (bytes.length === 0) throw new WrongAnswer(`${path} is empty`);
    return bytes.length;
  }

  async #refs(): Promise<{ readonly refs: Map<string, string>; readonly bytes: number }> {
    const body = pktLines("command=ls-refs", "object-format=sha1", "0001", "ref-prefix refs/heads/", "0000");
    const answer = await this.#ask(`/${this.#place.repository}.git/git-upload-pack`, V2, body);
    const lines = parsePkts(answer).map((line) => line.toString().trimEnd().split(" "));
    const refs = new Map(lines.flatMap(([oid = "", name]) => (name === undefined ? [] : [[name, oid] as const])));
    if (!refs.has("refs/heads/main")) throw new WrongAnswer("no main branch was listed");
    return { refs, bytes: answer.length };
  }

  /** Fetches all branches, without what this client has. */
  async #fetch(have?: string): Promise<number> {
    const { refs } = await this.#refs();
    const wants = [...new Set(refs.values())];
    const haves = have === undefined ? [] : [`have ${have}`];
    const lines = ["command=fetch", "object-format=sha1", "0001", "ofs-delta", "no-progress"];
    const body = pktLines(...lines, ...wants.map((oid) => `want ${oid}`), ...haves, "done", "0000");
    const answer = await this.#ask(`/${this.#place.repository}.git/git-upload-pack`, V2, body);
    checkPack(answer);
    this.#has = refs.get("refs/heads/main");
    return answer.length;
  }

  async #push(): Promise<number> {
    const content = Buffer.alloc(FILE_BYTES, `${this.#name} ${this.#turn} `);
    const tree = treeOf(["100644", "file.txt", objectId("blob", content)]);
    const commit = commitOf(objectId("tree", tree), this.#tip === undefined ? [] : [this.#tip]);
    const pack = buildPack([
      { type: "commit", content: commit },
      { type: "tree", content: tree },
      { type: "blob", content },
    ]);
    const [name, oid] = [`refs/heads/${this.#name}`, objectId("commit", commit)];
    const body = pushBody([{ name, ...(this.#tip === undefined ? {} : { old: this.#tip }), new: oid }], pack);
    const headers = { "Content-Type": "application/x-git-receive-pack-request" };
    const answer = await this.#ask(`/${this.#place.repository}.git/git-receive-pack`, headers, body);
    const report = reportLines(answer).join(", ");
    if (report !== `unpack ok, ok ${name}`) throw new WrongAnswer(`a push: ${report}`);
    this.#tip = oid;
    return body.length;
  }
}

/** Checks that a pack has come whole. @throws WrongAnswer */
function checkPack(answer: Buffer): void {
  const bands = parsePkts(answer).filter((payload) => payload[0] === 1);
  const pack = Buffer.concat(bands.map((payload) => payload.subarray(1)));
  const end = pack.length - 20;
  const isWhole =
    end > 0 &&
    pack.toString("latin1", 0, 4) === "PACK" &&
    createHash("sha1").update(pack.subarray(0, end)).digest().equals(pack.subarray(end));
  if (!isWhole) throw new WrongAnswer(`a pack of ${pack.length} bytes is not whole`);
}
