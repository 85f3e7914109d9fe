/**
 * The port to an upstream: one HTTP request at a time, and what goes wrong with it.
 *
 * @packageDocumentation
 */
import type { ByteSource } from "../bytes/byte-stream.ts";

/** A request. Redirects are not followed by who sends it. */
export type UpstreamRequest = {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
};

/** The head of an answer, and its body to be read. */
export interface UpstreamAnswer {
  readonly status: number;
  /** Gives a header's value; `undefined` where the answer has none of that name. */
  header(name: string): string | undefined;
  /** Unzipped. Its `read` throws {@link UpstreamFailure} where the body breaks off, or is not gone on with in time. */
  readonly body: ByteSource;
  /** Stops reading; never throws. */
  cancel(): Promise<void>;
}

/** Sends requests. */
export interface Fetcher {
  /** @throws UpstreamFailure where no answer comes. */
  send(request: UpstreamRequest): Promise<UpstreamAnswer>;
}

/**
 * An upstream did not do what a sync needs of it. The message is a sentence for the mirror's owner; it never holds credentials,
 * nor anything of an answer that is not git's.
 */
export class UpstreamFailure extends Error {
  override readonly name = "UpstreamFailure";
  /** Milliseconds that the upstream asked to be left alone for. */
  readonly retryAfter: number | undefined;
  constructor(message: string, options: ErrorOptions & { readonly retryAfter?: number | undefined } = {}) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
}
