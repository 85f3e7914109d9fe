/**
 * Bridges between a service's streams and those of HTTP.
 *
 * @packageDocumentation
 */
import type { ByteSink, ByteSource } from "../bytes/byte-stream.ts";
import { ClientTooSlow, LimitExceeded } from "../bytes/failure.ts";
import type { RequestMemory } from "../bytes/memory-budget.ts";
import { GitRefusal } from "./git-failure.ts";

/** What has to come of a body, or be taken of an answer, before a client counts as having moved. */
const READ_STEP = 65_536;
const WRITE_STEP = 32_768;
/** A write that takes longer than this is of a client that is given the next in small pieces. Milliseconds. */
const SLOW_WRITE = 1000;
/** What is read at once to be unzipped. */
const ZIPPED_PIECE = 65_536;
/** What is unzipped at once: a thousand times as much may come of it, which is held until it is read. */
const UNZIPPED_AT_ONCE = 8192;
/** What any request may unzip to, and how many times its size a larger one may: packs are compressed already. */
const UNZIPPED_BYTES = 64 * 1024 * 1024;
const UNZIPPED_TIMES = 32;

/** A body that has none. */
const EMPTY: ByteSource = { read: async (buffer) => buffer.subarray(0, 0) };

/**
 * Returns a request's body, unzipped where it is zipped: by its first bytes, as no request of git's begins like that. A
 * proxy that unzips a body takes the header away with it, so a body that is said to be zipped has to be.
 */
export function requestSource(body: ReadableStream | null, saysZipped: boolean, memory: RequestMemory): ByteSource {
  if (body === null) return EMPTY;
  const reader = body.getReader({ mode: "byob" });
  let unzipped: ByteSource | undefined;
  let begun = false;
  return {
    read: async (buffer) => {
      if (unzipped !== undefined) return unzipped.read(buffer);
      const bytes = await fill(reader, buffer, { memory, broken: "the request's body broke off" });
      if (begun) return bytes;
      begun = true;
      if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
        if (saysZipped && bytes.length > 0) throw new GitRefusal(400, "the request's body is not gzip data");
        return bytes;
      }
      unzipped = unzip(bytes.slice(), reader, memory);
      return unzipped.read(new Uint8Array(bytes.buffer));
    },
  };
}

/**
 * Fills the buffer as far as the stream goes. Reading what is at hand would do, but over HTTP a client says all it has to say
 * before it listens, and large pieces are ten times cheaper than the 4 KB in which they come.
 */
async function fill(
  reader: ReadableStreamBYOBReader,
  buffer: Uint8Array<ArrayBuffer>,
  { memory, broken }: { readonly memory: RequestMemory; readonly broken: string },
): Promise<Uint8Array<ArrayBuffer>> {
  const { byteLength: size, byteOffset: offset } = buffer;
  let view = buffer;
  let filled = 0;
  try {
    while (filled < size) {
      // A decompressing stream may give less than is asked for and still fail at its end: with the loop, a request that fits the
      // buffer is known to be whole before a byte of it is acted on.
      const least = Math.min(size - filled, READ_STEP);
      const { value, done } = await memory.whileClient(reader.readAtLeast(least, view.subarray(filled)));
      if (value === undefined) {
        // the stream was cancelled, and its buffer is gone with what it held
        if (filled > 0) throw new TypeError("the stream was cancelled");
        return new Uint8Array(size).subarray(0, 0);
      }
      view = new Uint8Array(value.buffer, offset, size);
      filled += value.byteLength;
      if (done || value.byteLength === 0) break;
    }
  } catch (cause) {
    if (cause instanceof ClientTooSlow) {
      reader.cancel(cause).catch(() => undefined);
      throw cause;
    }
    // No ProtocolError: that is what git itself tells its client in an answer of 200, and this is a fault of HTTP.
    throw new GitRefusal(400, broken, { cause });
  }
  return view.subarray(0, filled);
}

/**
 * Unzips `first` and all that `rest` still has, as it is read; refuses data that ends early, goes on after its end, or becomes far
 * more than a request of git's: a small body could keep us busy for minutes.
 */
function unzip(first: Uint8Array<ArrayBuffer>, rest: ReadableStreamBYOBReader, memory: RequestMemory): ByteSource {
  const stream = new DecompressionStream("gzip");
  const writer = stream.writable.getWriter();
  let zippedBytes = 0;
  const write = async (bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
    for (let at = 0; at < bytes.length; at += UNZIPPED_AT_ONCE) {
      const piece = bytes.subarray(at, at + UNZIPPED_AT_ONCE);
      zippedBytes += piece.length;
      await writer.write(piece);
    }
  };
  const pump = async (): Promise<void> => {
    await write(first);
    let buffer = new ArrayBuffer(ZIPPED_PIECE);
    for (;;) {
      const { value } = await rest.readAtLeast(ZIPPED_PIECE, new Uint8Array(buffer));
      if (value === undefined || value.byteLength === 0) break;
      await write(value);
      buffer = new ArrayBuffer(ZIPPED_PIECE);
    }
    await writer.close();
  };
  // An error shows to the reader, through the stream.
  pump().catch((error: unknown) => writer.abort(error).catch(() => undefined));
  const reader = stream.readable.getReader({ mode: "byob" });
  let bytesRead = 0;
  return {
    read: async (buffer) => {
      const max = UNZIPPED_BYTES + UNZIPPED_TIMES * zippedBytes;
      if (bytesRead > max) throw new LimitExceeded("unzipped-bytes", max, "the request's gzip data unzips to too much");
      const bytes = await fill(reader, buffer, { memory, broken: "the request's gzip data is broken" });
      bytesRead += bytes.length;
      return bytes;
    },
  };
}

/** Writes an answer as its client takes it. */
class PacedWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #memory: RequestMemory;
  #isSlow = false;
  #failure: ClientTooSlow | undefined;

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>, memory: RequestMemory) {
    this.#writer = writer;
    this.#memory = memory;
  }

  /** Writes bytes; to a slow client in pieces small enough to see that it takes any. @throws ClientTooSlow */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, this.#isSlow ? at + WRITE_STEP : bytes.length);
      const began = Date.now();
      await this.#step(this.#writer.write(piece));
      this.#isSlow = Date.now() - began >= SLOW_WRITE;
      at += piece.length;
    }
  }

  /** What was too slow once is not waited for again: nothing more can be said to it. */
  async #step(written: Promise<void>): Promise<void> {
    written.catch(() => undefined);
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#memory.whileClient(written, this.#isSlow);
    } catch (error) {
      if (error instanceof ClientTooSlow) this.#failure = error;
      throw error;
    }
  }
}

/** How a streamed answer is made. */
export type StreamedAnswer = {
  /** Read when the response begins: until then `serve` may change them. */
  readonly headers: HeadersInit;
  /** 200 where not given. */
  readonly status?: number;
  /** Bytes of the body, where they are known. */
  readonly length?: number;
  /** What the request holds while the client takes its answer. */
  readonly memory: RequestMemory;
  /** HEAD: nothing of the body is sent. */
  readonly bodiless: boolean;
  /** Told when the client has gone. */
  onGone(): void;
  /** Told of what broke the stream off after it had begun. */
  onFault(error: unknown): void;
  /** Told of the work that goes on after the response has begun. */
  until(work: Promise<unknown>): void;
};

/**
 * Answers with what `serve` writes. The response begins with the first write, so that whatever is thrown before it is thrown to
 * the caller; what is thrown later breaks the stream off.
 */
export async function streamedResponse(
  answer: StreamedAnswer,
  serve: (output: ByteSink) => Promise<void>,
): Promise<Response> {
  const { bodiless, length, memory } = answer;
  const init = (): { headers: Headers; status: number } => ({
    headers: new Headers(answer.headers),
    status: answer.status ?? 200,
  });
  if (bodiless) {
    await serve({ write: async () => undefined });
    const head = init();
    if (length !== undefined) head.headers.set("Content-Length", String(length));
    return new Response(null, head);
  }
  const { readable, writable } = length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
  const writer = writable.getWriter();
  writer.closed.catch(() => answer.onGone());
  const pace = new PacedWriter(writer, memory);
  const begun = Promise.withResolvers<void>();
  const served = serve({
    write: async (bytes) => {
      if (bytes.length === 0) return;
      begun.resolve();
      try {
        await pace.write(bytes);
      } catch (error) {
        // Before the service hears of it, so that what follows from it is known to.
        answer.onGone();
        throw error;
      }
    },
  });
  const wrote = await Promise.race([begun.promise.then(() => true), served.then(() => false)]);
  if (!wrote) return new Response(null, init());
  answer.until(
    served.then(
      () => writer.close(),
      (error: unknown) => {
        answer.onFault(error);
        return writer.abort(error);
      },
    ),
  );
  return new Response(readable, init());
}
