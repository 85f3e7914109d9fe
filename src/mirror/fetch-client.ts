/**
 * upload-pack's client. It asks an upstream for its refs and for a pack, in version 2, or in version 0 if the upstream
 * has no version 2.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), gitprotocol-pack(5), fetch-pack.c
 */
import type { ByteSource } from "../bytes/byte-stream.ts";
import { equal } from "../bytes/chunk.ts";
import { ProtocolError } from "../bytes/failure.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { type ObjectFormat, objectFormat } from "../object/object-id.ts";
import { parseAcknowledgement } from "../wire/acknowledgements.ts";
import { CapabilityAdvertisementParser } from "../wire/capability-advertisement.ts";
import type { CapabilityList } from "../wire/capability-list.ts";
import { formatCommandRequest } from "../wire/command-request.ts";
import { type FetchRequest, formatFetchArguments } from "../wire/fetch-request.ts";
import { type FetchResponse, FetchResponseParser } from "../wire/fetch-response.ts";
import { formatLsRefsArguments, parseListedRef } from "../wire/ls-refs.ts";
import { ObjectIdList } from "../wire/object-id-list.ts";
import { PktBuffer } from "../wire/pkt-buffer.ts";
import { decodeLine, startsWith } from "../wire/pkt-line.ts";
import { RefAdvertisementParser } from "../wire/ref-advertisement.ts";
import { parseServiceAnnouncement } from "../wire/service-announcement.ts";
import { formatUploadHaves, formatUploadRequest } from "../wire/upload-request.ts";
import { type BandListener, bandSource, LineSource } from "./line-source.ts";
import { RefList } from "./ref-comparison.ts";
import { type UpstreamAnswer, UpstreamFailure } from "./upstream.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/** A ref of the upstream. */
export type UpstreamRef = { readonly name: string; readonly oid: Uint8Array };

/** A request for a pack. */
export type PackRequest = {
  readonly wants: ObjectIdList;
  readonly haves: ObjectIdList;
  /**
   * Whether deltas may have bases that the mirror has. Looking bases up costs memory and reads, so a large pack of
   * mostly new objects is better without.
   */
  readonly thin: boolean;
  /** The number of commits to send from each want on; absent for all. Version 0 has no such request. */
  readonly depth?: number;
};

/** A pack on its way. */
export type IncomingPack = {
  readonly source: ByteSource;
  /** Stops the pack; never throws. */
  cancel(): Promise<void>;
};

type Session =
  | { readonly version: 2; readonly capabilities: CapabilityList }
  | { readonly version: 0; readonly capabilities: CapabilityList; readonly refs: RefList };

/** What a conversation needs: the value of `agent=`, and what pauses while the upstream's lines are read. */
type ClientOptions = { readonly agent: string; readonly pacer: Pacer };

/** What is asked for with `Git-Protocol`. */
export const PROTOCOL = "version=2";

/** One conversation with an upstream. */
export class FetchClient {
  /** The upstream's hash function. */
  readonly format: ObjectFormat;
  readonly #connection: UpstreamConnection;
  readonly #session: Session;
  readonly #agent: string;
  readonly #pacer: Pacer;

  private constructor(connection: UpstreamConnection, session: Session, { agent, pacer }: ClientOptions) {
    this.#connection = connection;
    this.#session = session;
    this.#agent = agent;
    this.#pacer = pacer;
    const format = session.capabilities.value("object-format") ?? "sha1";
    if (format !== "sha1" && format !== "sha256") {
      throw new UpstreamFailure(`The upstream's object format is ${format}, which is not known here.`);
    }
    this.format = objectFormat(format);
  }

  /**
   * Reads the upstream's capabilities in its first answer. In version 0 that has its refs, of which at most `mostRefs`
   * are taken.
   *
   * @throws UpstreamFailure, ProtocolError, LimitExceeded
   */
  static async connect(
    connection: UpstreamConnection,
    { body }: Pick<UpstreamAnswer, "body">,
    options: ClientOptions & { readonly mostRefs: number },
  ): Promise<FetchClient> {
    const lines = new LineSource(body, options.pacer);
    return new FetchClient(connection, await readAdvertisement(lines, options.mostRefs), options);
  }

  /** Whether the upstream can send shallow history, and any object that it can reach. */
  get canDeepen(): boolean {
    return this.#session.version === 2 && this.#session.capabilities.hasFeature("fetch", "shallow");
  }

  /** The protocol version of the conversation. */
  get version(): 0 | 2 {
    return this.#session.version;
  }

  /**
   * Calls `onRef` for every ref whose name begins with one of the prefixes, and maybe for others. Returns the branch
   * that HEAD points to, if the upstream tells it. The caller may keep the names' bytes.
   *
   * @throws UpstreamFailure, ProtocolError
   */
  async listRefs(prefixes: readonly string[], onRef: (ref: UpstreamRef) => void): Promise<string | undefined> {
    const session = this.#session;
    if (session.version === 0) {
      await session.refs.forEach(onRef, this.#pacer);
      const symrefs = session.capabilities.values("symref").find((value) => value.startsWith("HEAD:"));
      return symrefs?.slice("HEAD:".length) ?? guessHead(session.refs);
    }
    const request = new PktBuffer();
    formatCommandRequest({ command: "ls-refs", ...this.#head(session.capabilities) }, request);
    const unborn = session.capabilities.hasFeature("ls-refs", "unborn");
    formatLsRefsArguments({ peel: false, symrefs: true, unborn, prefixes: ["HEAD", ...prefixes] }, request);
    const answer = await this.#connection.ask(request.takeBytes(), { protocol: PROTOCOL, mayCount: false });
    try {
      const lines = new LineSource(answer.body, this.#pacer);
      let head: string | undefined;
      let line = await lines.next();
      for (; line.kind === "data"; line = await lines.next()) {
        const ref = parseListedRef(line.payload, this.format);
        if (ref.name === "HEAD") head = ref.symrefTarget;
        else if (ref.oid !== undefined) onRef({ name: ref.name, oid: ref.oid });
      }
      // The list must be whole, since refs that are not listed are taken for deleted.
      if (line.kind !== "flush") throw new ProtocolError("expected flush after ref listing");
      return head;
    } finally {
      await answer.cancel();
    }
  }

  /** Asks for a pack. There must be wants. @throws UpstreamFailure, ProtocolError */
  async fetchPack(request: PackRequest, listener: BandListener): Promise<IncomingPack> {
    const session = this.#session;
    const body =
      session.version === 2
        ? this.#fetchCommand(request, session.capabilities)
        : uploadRequest(request, session, this.#agent);
    const answer = await this.#connection.ask(body, {
      protocol: session.version === 2 ? PROTOCOL : undefined,
      mayCount: true,
    });
    try {
      const lines = new LineSource(answer.body, this.#pacer);
      if (session.version === 2) {
        const { shallowInfo } = await readFetchResponse(lines, this.format);
        if (request.depth === undefined && shallowInfo.length > 0) {
          throw new UpstreamFailure("The upstream is a shallow clone: it lacks history that a mirror has to have.");
        }
      } else await readAcknowledgements(lines, this.format);
      lines.endTalk();
      return { source: bandSource(lines, listener), cancel: async () => await answer.cancel() };
    } catch (error) {
      await answer.cancel();
      throw error;
    }
  }

  /**
   * Returns the commits below `tip` whose parents a history of this depth does not hold; none if it holds all. The pack
   * that belongs to the answer is not awaited. It may be called only if {@link canDeepen}.
   *
   * @throws UpstreamFailure, ProtocolError
   */
  async commitsAtDepth(tip: Uint8Array, depth: number): Promise<ObjectIdList> {
    const wants = new ObjectIdList(this.format);
    wants.push(tip);
    const request = { wants, haves: new ObjectIdList(this.format), thin: false, depth };
    const body = this.#fetchCommand(request, this.#session.capabilities);
    const answer = await this.#connection.ask(body, { protocol: PROTOCOL, mayCount: true });
    try {
      const { shallowInfo } = await readFetchResponse(new LineSource(answer.body, this.#pacer), this.format);
      const cut = new ObjectIdList(this.format);
      for (const { kind, oid } of shallowInfo) if (kind === "shallow") cut.push(oid);
      return cut;
    } finally {
      await answer.cancel();
    }
  }

  #head(capabilities: CapabilityList): { agent?: string; objectFormat?: ObjectFormat["name"] } {
    return {
      ...(capabilities.has("agent") ? { agent: this.#agent } : {}),
      ...(capabilities.has("object-format") ? { objectFormat: this.format.name } : {}),
    };
  }

  #fetchCommand({ wants, haves, depth, thin }: PackRequest, capabilities: CapabilityList): Uint8Array<ArrayBuffer> {
    const out = new PktBuffer();
    formatCommandRequest({ command: "fetch", ...this.#head(capabilities) }, out);
    formatFetchArguments({ ...plainFetch(this.format), thinPack: thin, wants, haves, depth }, out);
    return out.takeBytes();
  }
}

/** Returns a fetch that sends everything at once. Haves that the upstream does not know do no harm. */
function plainFetch(format: ObjectFormat): Omit<FetchRequest, "wants" | "haves" | "depth" | "thinPack"> {
  return {
    shallows: new ObjectIdList(format),
    deepenSince: undefined,
    deepenNot: [],
    deepenRelative: false,
    wantRefs: [],
    done: true,
    noProgress: false,
    includeTag: false,
    ofsDelta: true,
    filter: undefined,
    sidebandAll: false,
    packfileUris: [],
    waitForDone: false,
  };
}

async function readAdvertisement(lines: LineSource, mostRefs: number): Promise<Session> {
  let line = await lines.next();
  // http-backend leaves the announcement out of an answer in version 2; other servers don't.
  if (line.kind === "data" && parseServiceAnnouncement(line.payload) === "git-upload-pack") {
    const flush = await lines.next();
    if (flush.kind !== "flush") throw new UpstreamFailure("The upstream's answer is not git's smart HTTP.");
    line = await lines.next();
  }
  const isV2 = line.kind === "data" && decodeLine(line.payload) === "version 2";
  lines.putBack(line);
  if (isV2) {
    const parser = new CapabilityAdvertisementParser();
    await lines.feed(parser);
    if (!parser.result.has("fetch") || !parser.result.has("ls-refs")) {
      throw new UpstreamFailure("The upstream can't be fetched from: it offers neither ls-refs nor fetch.");
    }
    return { version: 2, capabilities: parser.result };
  }
  let refs: RefList | undefined;
  const parser: RefAdvertisementParser = new RefAdvertisementParser(({ name, oid }) => {
    refs ??= new RefList(parser.result.objectFormat, mostRefs);
    refs.add(name, oid);
  });
  await lines.feed(parser);
  const { capabilities, objectFormat: format } = parser.result;
  return { version: 0, capabilities, refs: refs ?? new RefList(format, 0) };
}

/** Guesses HEAD as git does if an upstream does not tell it: the branch with HEAD's value, `main` or `master` first. */
function guessHead(refs: RefList): string | undefined {
  let head: Uint8Array | undefined;
  const same: string[] = [];
  for (const { name, oid } of refs) {
    // HEAD is told before all others.
    if (name === "HEAD") head = oid;
    else if (head !== undefined && name.startsWith("refs/heads/") && equal(oid, head)) same.push(name);
  }
  return ["refs/heads/main", "refs/heads/master"].find((name) => same.includes(name)) ?? same[0];
}

function uploadRequest(
  { wants, haves, thin }: PackRequest,
  { capabilities }: Session,
  agent: string,
): Uint8Array<ArrayBuffer> {
  const band = ["side-band-64k", "side-band"].find((name) => capabilities.has(name));
  if (band === undefined) throw new UpstreamFailure("The upstream can't send a pack in side-bands.");
  const useful = ["multi_ack_detailed", "ofs-delta", ...(thin ? ["thin-pack"] : [])];
  const asked = useful.filter((name) => capabilities.has(name));
  if (capabilities.has("agent")) asked.push(`agent=${agent}`);
  const format = capabilities.value("object-format");
  if (format !== undefined) asked.push(`object-format=${format}`);
  const out = new PktBuffer();
  const nothing = { depth: undefined, deepenSince: undefined, deepenNot: [], filter: undefined };
  const shallows = new ObjectIdList(wants.format);
  formatUploadRequest({ ...nothing, shallows, wants, capabilities: [band, ...asked].join(" ") }, out);
  formatUploadHaves({ haves, done: true }, out);
  return out.takeBytes();
}

/** Reads an answer up to the pack. */
async function readFetchResponse(lines: LineSource, format: ObjectFormat): Promise<FetchResponse> {
  const parser = new FetchResponseParser(format);
  for (;;) {
    const word = parser.accept(await lines.next());
    if (word === "packfile") return parser.result;
    if (word === "done") throw new UpstreamFailure("The upstream did not send a pack.");
  }
}

/** Skips the acknowledgements of version 0. A side-band packet begins with a byte that is no letter. */
async function readAcknowledgements(lines: LineSource, format: ObjectFormat): Promise<void> {
  for (;;) {
    const line = await lines.next();
    if (line.kind !== "data" || !(startsWith(line.payload, "ACK ") || startsWith(line.payload, "NAK"))) {
      lines.putBack(line);
      return;
    }
    parseAcknowledgement(line.payload, format);
  }
}
