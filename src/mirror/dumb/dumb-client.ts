/**
 * An upstream that speaks git's dumb HTTP alone: a bare repository, served as files after `git update-server-info`.
 *
 * ```text
 * info/refs → HEAD → the loose objects that are missing → objects/info/packs, the indexes → packs
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-http(5), git-update-server-info(1), http-walker.c
 */
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { concat } from "../../bytes/chunk.ts";
import { LimitExceeded, ProtocolError } from "../../bytes/failure.ts";
import type { Pacer } from "../../bytes/pacer.ts";
import { escapedText } from "../../object/escaped-bytes.ts";
import { type ObjectFormat, objectFormat } from "../../object/object-id.ts";
import { parseRawObjectId } from "../../wire/object-id-list.ts";
import type { UpstreamRef } from "../fetch-client.ts";
import { listingSteps, RefList } from "../ref-comparison.ts";
import type { Discovery, UpstreamConnection } from "../upstream-connection.ts";
import { UpstreamFailure } from "../upstream.ts";
import { UpstreamFiles } from "./upstream-files.ts";

const TAB = 0x09;
const LINE_FEED = 0x0a;
const SHA1_DIGITS = 40;
const CHUNK_BYTES = 65_536;
/** Bytes of `info/refs`. There is room for 500,000 refs of usual names. */
const MOST_REFS_BYTES = 64 * 1024 * 1024;
/** Bytes of HEAD: the name of a branch. */
const MOST_HEAD_BYTES = 8192;
/** Bytes of a line: the name of an object, and one of a ref. */
const MOST_LINE_BYTES = 16_384;
const PEELED = "^{}";

function notRefs(): never {
  throw new ProtocolError("info/refs is not valid: is this a git repository?");
}

/** Yields the lines of a file. The file may not end within a line. */
async function* linesOf(beginning: Uint8Array, source: ByteSource): AsyncGenerator<Uint8Array> {
  let rest = beginning;
  let total = 0;
  for (;;) {
    let from = 0;
    for (let at = rest.indexOf(LINE_FEED); at >= 0; at = rest.indexOf(LINE_FEED, from)) {
      yield rest.subarray(from, at);
      from = at + 1;
    }
    // What has no end is not put together again and again.
    if (rest.length - from > MOST_LINE_BYTES) notRefs();
    const piece = await source.read(new Uint8Array(CHUNK_BYTES));
    if (piece.length === 0) {
      if (from < rest.length) notRefs();
      return;
    }
    total += piece.length;
    if (total > MOST_REFS_BYTES) {
      throw new LimitExceeded("mirror-talk-bytes", MOST_REFS_BYTES, "it has more to say of its refs than is read");
    }
    rest = concat([rest.subarray(from), piece]);
  }
}

/** One conversation with such an upstream. */
export class DumbClient {
  /** The upstream's hash function, as the names of its objects tell. */
  readonly format: ObjectFormat;
  /** Its files. */
  readonly files: UpstreamFiles;
  readonly #refs: RefList;
  readonly #pacer: Pacer;

  private constructor(files: UpstreamFiles, format: ObjectFormat, refs: RefList, pacer: Pacer) {
    this.files = files;
    this.format = format;
    this.#refs = refs;
    this.#pacer = pacer;
  }

  /** Reads the upstream's refs, of which at most `mostRefs` are taken. @throws UpstreamFailure, ProtocolError, LimitExceeded */
  static async connect(
    connection: UpstreamConnection,
    { answer, plain }: Required<Discovery>,
    { mostRefs, pacer }: { readonly mostRefs: number; readonly pacer: Pacer },
  ): Promise<DumbClient> {
    const format = objectFormat(plain.indexOf(TAB) === SHA1_DIGITS ? "sha1" : "sha256");
    const refs = new RefList(format, mostRefs);
    for await (const line of linesOf(plain, answer.body)) {
      const oid = parseRawObjectId(line, 0, format);
      const name = escapedText(line.subarray(format.hexSize + 1));
      if (oid === undefined || line[format.hexSize] !== TAB || name === "") notRefs();
      if (!name.endsWith(PEELED)) refs.add(name, oid);
      pacer.add(listingSteps(line.length));
      if (pacer.isDue) await pacer.pace();
    }
    return new DumbClient(new UpstreamFiles(connection), format, refs, pacer);
  }

  /** Calls `onRef` for every ref. Returns the branch that HEAD points to, if there is one. @throws UpstreamFailure */
  async listRefs(_prefixes: readonly string[], onRef: (ref: UpstreamRef) => void): Promise<string | undefined> {
    await this.#refs.forEach(onRef, this.#pacer);
    const head = await this.files.whole("HEAD", MOST_HEAD_BYTES);
    if (head === "too-large") throw new UpstreamFailure("The upstream's HEAD is none of git's.");
    // Without it, or where it names a commit, it is as in any upstream whose HEAD is detached.
    return /^ref: (\S+)\n?$/.exec(head === undefined ? "" : escapedText(head))?.[1];
  }
}
