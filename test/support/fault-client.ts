/**
 * A client of git for storage that fails: the requests that git would send, by hand, so that hundreds of them start no process. Each
 * answer is sorted into done, refused in words, or broken, which no answer may be.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), gitprotocol-pack(5)
 */
import type { Asked, FaultBed } from "./fault-bed.ts";
import { parsePkts, pktLines, pushBody, type RawCommand } from "./git-raw.ts";
import { LFS_TYPE } from "./lfs-client.ts";
import { UNFAULTED_HEADER } from "./observed-paths.ts";

/** What became of what a client asked for. */
export type Outcome =
  | { readonly kind: "done"; readonly body: Buffer }
  /** The client was told that it failed, in words. */
  | { readonly kind: "told"; readonly status: number; readonly words: string }
  /** The client can't know, and was not told. */
  | { readonly kind: "broken"; readonly why: string };

/** The refs of a repository by name; `HEAD` is not among them. */
export type Refs = Readonly<Record<string, string>>;

/** Leaves the faults of a request out: what a check asks is no part of a journey. */
export const UNFAULTED = { [UNFAULTED_HEADER]: "1" };

const V2 = { "Git-Protocol": "version=2" };
const BAND_ERROR = 3;

/** Sorts an answer of HTTP. `words` finds out what an answer of 200 says, which may be a failure. */
export function outcomeOf(asked: Asked, read: (body: Buffer) => Outcome = (body) => ({ kind: "done", body })): Outcome {
  if (asked.kind === "broken") return { kind: "broken", why: `no answer: ${asked.why}` };
  const { status, body, headers } = asked;
  if (status < 400) return read(body);
  const type = headers.get("Content-Type") ?? "";
  const words = body.toString();
  if (type === LFS_TYPE) {
    const { message } = JSON.parse(words) as { message?: string };
    return message === undefined ? { kind: "broken", why: words } : { kind: "told", status, words: message };
  }
  if (words.trim() === "") return { kind: "broken", why: `${status} without a word` };
  if (type !== "application/problem+json") {
    const isText = type.startsWith("text/plain");
    return isText
      ? { kind: "told", status, words }
      : { kind: "broken", why: `${status} of ${type}: ${words.slice(0, 200)}` };
  }
  const { detail, status: same } = JSON.parse(words) as { detail?: string; status?: number };
  return detail === undefined || same !== status
    ? { kind: "broken", why: words }
    : { kind: "told", status, words: detail };
}

/** The words of band 3 or of an ERR packet, if there are some. */
export function failureIn(pkts: readonly Buffer[]): string | undefined {
  for (const packet of pkts) {
    if (packet[0] === BAND_ERROR) return packet.subarray(1).toString();
    if (packet.subarray(0, 4).toString() === "ERR ") return packet.subarray(4).toString();
  }
  return undefined;
}

/** Git's service at one repository. */
export class FaultClient {
  readonly #bed: FaultBed;
  readonly #path: string;
  readonly #headers: object;

  /** `path` is `{tenant}/{repo}`; with `UNFAULTED` as `headers`, nothing that it asks goes wrong. */
  constructor(bed: FaultBed, path: string, headers: object = {}) {
    this.#bed = bed;
    this.#path = path;
    this.#headers = headers;
  }

  async #post(service: string, body: Uint8Array, headers: object = {}): Promise<Asked> {
    return await this.#bed.ask("POST", `/${this.#path}.git/git-${service}`, body, {
      "Content-Type": `application/x-git-${service}-request`,
      ...this.#headers,
      ...headers,
    });
  }

  /** The same client at another repository. */
  at(path: string): FaultClient {
    return new FaultClient(this.#bed, path, this.#headers);
  }

  /** The same client, for whom nothing goes wrong. */
  calm(): FaultClient {
    return new FaultClient(this.#bed, this.#path, { ...this.#headers, ...UNFAULTED });
  }

  /** Asks for something else of the host. */
  async asked(method: string, path: string, body?: Uint8Array | string, headers: object = {}): Promise<Outcome> {
    return outcomeOf(await this.#bed.ask(method, path, body, { ...this.#headers, ...headers }));
  }

  /** Asks the API for something, with JSON. */
  async api(method: string, path: string, body?: object, headers: object = {}): Promise<Outcome> {
    return outcomeOf(await this.#bed.api(method, path, body, { ...this.#headers, ...headers }));
  }

  /** Ends a push whose pack came in parts. */
  async completePush(upload: string, commands: readonly RawCommand[]): Promise<Outcome> {
    const path = `/api/v1/repos/${this.#path}/uploads/${upload}/complete`;
    const headers = { ...this.#headers, "Content-Type": "application/x-git-receive-pack-request" };
    const body = pushBody(commands, undefined, "report-status-v2 side-band-64k");
    return outcomeOf(await this.#bed.ask("POST", path, body, headers), readReport);
  }

  /** Lists refs. */
  async refs(): Promise<{ readonly outcome: Outcome; readonly refs: Refs }> {
    const request = pktLines("command=ls-refs", "object-format=sha1", "0001", "0000");
    const refs: Record<string, string> = {};
    const outcome = outcomeOf(await this.#post("upload-pack", request, V2), (body) => {
      const pkts = parsePkts(body);
      const words = failureIn(pkts);
      if (words !== undefined) return { kind: "told", status: 200, words };
      if (pkts.at(-1)?.toString() !== "0000")
        return { kind: "broken", why: `a list of refs without an end: ${body.toString()}` };
      for (const line of pkts.slice(0, -1)) {
        const [oid = "", name = ""] = line.toString().trimEnd().split(" ");
        if (name !== "HEAD") refs[name] = oid;
      }
      return { kind: "done", body };
    });
    return { outcome, refs };
  }

  /** Fetches with protocol version 2, in one round. Gives the bytes of the pack. */
  async fetch(wants: readonly string[], haves: readonly string[] = []): Promise<Outcome> {
    const request = pktLines(
      "command=fetch",
      "object-format=sha1",
      "0001",
      "ofs-delta",
      "thin-pack",
      ...wants.map((oid) => `want ${oid}`),
      ...haves.map((oid) => `have ${oid}`),
      "done",
      "0000",
    );
    return outcomeOf(await this.#post("upload-pack", request, V2), (body) => {
      const pkts = parsePkts(body);
      const words = failureIn(pkts);
      if (words !== undefined) return { kind: "told", status: 200, words };
      if (pkts.at(-1)?.toString() !== "0000")
        return { kind: "broken", why: `a pack without an end, of ${body.length} bytes` };
      const bands = pkts.filter((packet) => packet[0] === 1).map((packet) => packet.subarray(1));
      return { kind: "done", body: Buffer.concat(bands) };
    });
  }

  /** Pushes as git does: it looks first, and sends what is not so yet. */
  async push(commands: readonly RawCommand[], pack: Uint8Array, capabilities = ""): Promise<Outcome> {
    const { outcome, refs } = await this.refs();
    // A push makes the repository.
    if (outcome.kind !== "done" && !(outcome.kind === "told" && outcome.status === 404)) return outcome;
    const missing = commands.filter(({ name, new: next }) => refs[name] !== next);
    if (missing.length === 0) return outcome;
    const asked = `report-status-v2 side-band-64k ${capabilities}`.trimEnd();
    const body = pushBody(missing, missing.some(({ new: next }) => next !== undefined) ? pack : undefined, asked);
    return outcomeOf(await this.#post("receive-pack", body), readReport);
  }
}

/** Reads the report of a push out of its bands. */
export function readReport(body: Buffer): Outcome {
  const pkts = parsePkts(body);
  const words = failureIn(pkts);
  if (words !== undefined) return { kind: "told", status: 200, words };
  const banded = pkts.filter((packet) => packet[0] === 1).map((packet) => packet.subarray(1));
  const lines = parsePkts(Buffer.concat(banded)).map((line) => line.toString().trimEnd());
  if (lines.at(-1) !== "0000" || !lines[0]?.startsWith("unpack "))
    return { kind: "broken", why: `no report: ${body.toString()}` };
  const failed = lines.filter((line) => line.startsWith("ng ") || (line.startsWith("unpack ") && line !== "unpack ok"));
  return failed.length === 0 ? { kind: "done", body } : { kind: "told", status: 200, words: failed.join("; ") };
}
