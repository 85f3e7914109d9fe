/**
 * Bridges between a service's streams and those of HTTP.
 *
 * @packageDocumentation
 */
import type { ByteSink, ByteSource } from "../bytes/byte-stream.ts";
import { ClientTooSlow, LimitExceeded } from "../bytes/failure.ts";
import type { RequestMemory } from "../bytes/memory-budget.ts";
import { wasTold } from "../service/failure.ts";
import { GitRefusal } from "./git-failure.ts";
import { PacedWriter } from "./paced-writer.ts";
import { type StoredBody, storedBody } from "./stored-answer.ts";
import type { Traffic } from "./traffic.ts";
import { UnzippedStream } from "./unzip.ts";

/** Bytes that have to come of a body before a client counts as having made progress. */
const READ_STEP = 65_536;
/** Bytes of compressed input that are read at once. */
const ZIPPED_PIECE = 65_536;
/**
 * Bytes that any request may decompress to; a larger request may reach a multiple of its size. Packs are compressed
 * already.
 */
const UNZIPPED_BYTES = 64 * 1024 * 1024;
const UNZIPPED_TIMES = 32;

/** An absent body. */
const EMPTY: ByteSource = { read: async (buffer) => buffer.subarray(0, 0) };

/**
 * Returns a request's body, decompressed if it is compressed. Its first bytes tell: no request of git's begins like
 * that. A proxy that decompresses a body removes the header with it, so a body whose header says so has to be
 * compressed.
 */
export function requestSource(
  body: ReadableStream | null,
  saysZipped: boolean,
  memory: RequestMemory,
  traffic: Traffic,
): ByteSource {
  if (body === null) return EMPTY;
  const reader = counting(body.getReader({ mode: "byob" }), traffic);
  let unzipped: ByteSource | undefined;
  let begun = false;
  return {
    read: async (buffer) => {
      if (unzipped !== undefined) return unzipped.read(buffer);
      const bytes = await fill(reader, buffer, memory);
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

type BodyReader = Pick<ReadableStreamBYOBReader, "readAtLeast" | "cancel">;

/** Counts what a reader reads. */
function counting(reader: ReadableStreamBYOBReader, traffic: Traffic): BodyReader {
  return {
    readAtLeast: async (least, view) => {
      const result = await reader.readAtLeast(least, view);
      if (result.value !== undefined) traffic.receive(result.value.byteLength);
      return result;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/**
 * Fills the buffer as far as the stream goes. Reading only what is at hand would do. But over HTTP a client sends
 * everything before it listens, and large pieces are ten times cheaper than the 4 KB in which they come.
 */
async function fill(
  reader: BodyReader,
  buffer: Uint8Array<ArrayBuffer>,
  memory: RequestMemory,
): Promise<Uint8Array<ArrayBuffer>> {
  const { byteLength: size, byteOffset: offset } = buffer;
  let view = buffer;
  let filled = 0;
  try {
    while (filled < size) {
      // A request that fits the buffer is whole before anything acts on it, but no more than a step is waited for at once.
      const least = Math.min(size - filled, READ_STEP);
      const { value, done } = await memory.whileClient(reader.readAtLeast(least, view.subarray(filled)));
      if (value === undefined) {
        // the stream was cancelled, and its buffer is gone with what it held
        if (filled > 0) throw new TypeError("the stream was cancelled");
        return new Uint8Array(size).subarray(0, 0);
      }
      view = new Uint8Array(value.buffer, offset, size);
      filled += value.byteLength;
      memory.moved(value.byteLength);
      if (done || value.byteLength === 0) break;
    }
  } catch (cause) {
    if (cause instanceof ClientTooSlow) {
      reader.cancel(cause).catch(() => undefined);
      throw cause;
    }
    throw brokenOff(cause);
  }
  return view.subarray(0, filled);
}

/** Says that a client's stream ended early. It is no ProtocolError: git tells its client those in an answer of 200, and this is a fault of HTTP. */
function brokenOff(cause: unknown): GitRefusal {
  return new GitRefusal(400, "the request's body broke off", { cause });
}

/** Whether an error says that compressed data is broken. All others are faults of the client's connection, or the host's. */
function isOfZlib(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("Z_");
}

/**
 * Decompresses `first` and the rest of the stream as it is read. Refuses data that ends early, goes on after its end,
 * or grows far beyond a request of git's: a small body could keep the host busy for minutes.
 */
function unzip(first: Uint8Array<ArrayBuffer>, rest: BodyReader, memory: RequestMemory): ByteSource {
  let isFirst = true;
  const stream = new UnzippedStream(async () => {
    if (isFirst) {
      isFirst = false;
      return first;
    }
    try {
      const { value } = await rest.readAtLeast(ZIPPED_PIECE, new Uint8Array(ZIPPED_PIECE));
      return value === undefined || value.byteLength === 0 ? undefined : value;
    } catch (cause) {
      throw brokenOff(cause);
    }
  });
  let bytesRead = 0;
  const fillUnzipped = async (buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => {
    let filled = 0;
    while (filled < buffer.length) {
      const count = await memory.whileClient(stream.read(buffer.subarray(filled)));
      if (count === 0) break;
      filled += count;
      memory.moved(count);
    }
    return buffer.subarray(0, filled);
  };
  return {
    read: async (buffer) => {
      const max = UNZIPPED_BYTES + UNZIPPED_TIMES * stream.taken;
      try {
        if (bytesRead > max)
          throw new LimitExceeded("unzipped-bytes", max, "the request's gzip data unzips to too much");
        const bytes = await fillUnzipped(buffer);
        bytesRead += bytes.length;
        return bytes;
      } catch (cause) {
        stream.end();
        rest.cancel(cause).catch(() => undefined);
        if (isOfZlib(cause)) throw new GitRefusal(400, "the request's gzip data is broken", { cause });
        throw cause;
      }
    },
  };
}

/** A streamed answer. */
export type StreamedAnswer = {
  /** The headers, read when the response begins: until then `serve` may change them. */
  readonly headers: HeadersInit;
  /** The status; 200 if absent. */
  readonly status?: number;
  /** Bytes of the body, if known. */
  readonly length?: number;
  /** The memory that the request holds while the client takes its answer. */
  readonly memory: RequestMemory;
  /** Counts what is sent. */
  readonly traffic: Traffic;
  /** Whether the request is a HEAD: nothing of the body is sent. */
  readonly bodiless: boolean;
  /** Called when the client has gone. */
  onGone(): void;
  /** Called with the error that ended the stream after its beginning. */
  onFault(error: unknown): void;
  /** Called with the work that goes on after the response has begun. */
  until(work: Promise<unknown>): void;
};

/** Answers with a stored file, in place of writes. */
export type PassOn = (stored: StoredBody) => void;

/**
 * Answers with what `serve` writes, or with the file that it passes on. The response begins with the first write: errors before it are thrown to the
 * caller. Later ones break off the stream, unless the client was told of them in it.
 */
export async function streamedResponse(
  answer: StreamedAnswer,
  serve: (output: ByteSink, passOn: PassOn) => Promise<void>,
): Promise<Response> {
  let stored: StoredBody | undefined;
  const { bodiless, length, memory, traffic } = answer;
  const init = (): { headers: Headers; status: number } => ({
    headers: new Headers(answer.headers),
    status: answer.status ?? 200,
  });
  if (bodiless) {
    await serve({ write: async () => undefined }, () => undefined);
    const head = init();
    if (length !== undefined) head.headers.set("Content-Length", String(length));
    return new Response(null, head);
  }
  const { readable, writable } = length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
  const writer = writable.getWriter();
  const gone = (error: unknown): void => {
    traffic.breakOff("gone", error);
    answer.onGone();
  };
  writer.closed.catch(gone);
  const pace = new PacedWriter(writer, memory);
  const begun = Promise.withResolvers<void>();
  const output: ByteSink = {
    write: async (bytes) => {
      if (bytes.length === 0) return;
      begun.resolve();
      try {
        await pace.write(bytes);
      } catch (error) {
        // This comes before the service hears of it, so that the consequences are recognized.
        gone(error);
        throw error;
      }
      traffic.send(bytes.length);
    },
  };
  const served = serve(output, (body) => (stored = body));
  const wrote = await Promise.race([begun.promise.then(() => true), served.then(() => false)]);
  if (!wrote) return new Response(stored === undefined ? null : storedBody(stored, answer), init());
  answer.until(
    served.then(
      () => writer.close(),
      (error: unknown) => {
        traffic.breakOff("failed", error);
        answer.onFault(error);
        return wasTold(error) ? writer.close() : writer.abort(error);
      },
    ),
  );
  // From here on it counts as counted, though nothing may be sent yet.
  traffic.send(0);
  return new Response(readable, init());
}
