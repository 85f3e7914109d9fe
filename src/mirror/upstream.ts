/**
 * The port to an upstream: one HTTP request at a time, and its failures.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../bytes/byte-stream.ts";

/** A request. Its sender does not follow redirects. */
export type UpstreamRequest = {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Whether the upstream may have to count objects before its answer goes on. It says little meanwhile. */
  readonly mayCount?: boolean;
};

/** The head of an answer, with its body to be read. */
export interface UpstreamAnswer {
  readonly status: number;
  /** Returns a header's value; `undefined` if the answer has none of that name. */
  header(name: string): string | undefined;
  /**
   * The decompressed body. Its `read` throws {@link UpstreamFailure} if the body breaks off, does not continue in time,
   * or comes more slowly than the least rate.
   */
  readonly body: ByteSource;
  /** Stops reading; never throws. */
  cancel(): Promise<void>;
}

/** Sends requests. */
export interface Fetcher {
  /** Sends a request and returns the answer. @throws UpstreamFailure if no answer comes. */
  send(request: UpstreamRequest): Promise<UpstreamAnswer>;
}

/**
 * The failure of an upstream to do what a sync needs. The message is a sentence for the mirror's owner. It never holds
 * credentials, nor anything from an answer that is not git's.
 */
export class UpstreamFailure extends Error {
  override readonly name = "UpstreamFailure";
  /** The milliseconds for which the upstream asked to be left alone. */
  readonly retryAfter: number | undefined;
  constructor(message: string, options: ErrorOptions & { readonly retryAfter?: number | undefined } = {}) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
}
