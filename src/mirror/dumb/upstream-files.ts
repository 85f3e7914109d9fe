/**
 * The files of an upstream that is no more than files, within a bound on how many are asked for.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { concat } from "../../bytes/chunk.ts";
import { LimitExceeded } from "../../bytes/failure.ts";
import type { UpstreamAnswer } from "../upstream.ts";
import type { UpstreamConnection } from "../upstream-connection.ts";

/** The most files, and parts of files, that one sync asks for. Each is a request, of which a job of the platform has 10,000. */
const MOST_FILES = 6000;
const CHUNK_BYTES = 65_536;

/** A part of a file: the bytes from `from` on, up to `to` where that is given. */
export type FileRange = { readonly from: number; readonly to?: number };

/** The files of one upstream, for one sync. */
export class UpstreamFiles {
  readonly #connection: UpstreamConnection;
  #left = MOST_FILES;
  /** Told how many bytes have come. @throws LimitExceeded to stop. */
  onBytes: (count: number) => void = () => undefined;

  constructor(connection: UpstreamConnection) {
    this.#connection = connection;
  }

  /** Opens a file, or a part of it; `undefined` if there is none. @throws UpstreamFailure, LimitExceeded */
  async open(path: string, range?: FileRange): Promise<UpstreamAnswer | undefined> {
    this.#left -= 1;
    if (this.#left < 0) {
      const why = `more than ${MOST_FILES} files would have to be asked for: run git gc there`;
      throw new LimitExceeded("mirror-files", MOST_FILES, why);
    }
    const answer = await this.#connection.file(path, range);
    if (answer === undefined) return undefined;
    return { ...answer, body: this.#counted(answer.body) };
  }

  /** Returns a whole file; `undefined` if there is none, or it has more than `most` bytes. @throws UpstreamFailure, LimitExceeded */
  async whole(path: string, most: number): Promise<Uint8Array<ArrayBuffer> | "too-large" | undefined> {
    const answer = await this.open(path);
    if (answer === undefined) return undefined;
    const pieces: Uint8Array[] = [];
    let length = 0;
    try {
      for (;;) {
        const piece = await answer.body.read(new Uint8Array(CHUNK_BYTES));
        if (piece.length === 0) return concat(pieces);
        pieces.push(piece);
        length += piece.length;
        if (length > most) return "too-large";
      }
    } finally {
      await answer.cancel();
    }
  }

  /** Whether there is a file at this path. */
  async has(path: string): Promise<boolean> {
    const answer = await this.open(path, { from: 0, to: 1 });
    await answer?.cancel();
    return answer !== undefined;
  }

  #counted(source: ByteSource): ByteSource {
    return {
      read: async (buffer) => {
        const bytes = await source.read(buffer);
        this.onBytes(bytes.length);
        return bytes;
      },
    };
  }
}
