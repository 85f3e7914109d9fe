/**
 * Smart HTTP as a client: URLs, headers and answers. Redirects are followed as git does by default, on the first
 * request only. Later requests go to the place to which that one was redirected.
 *
 * @packageDocumentation
 * @see gitprotocol-http(5), git-config(1) `http.followRedirects`, http.c, remote-curl.c
 */
import type { OutgoingUrl } from "../access/outgoing-url.ts";
import { concat } from "../bytes/chunk.ts";
import { type Fetcher, type UpstreamAnswer, UpstreamFailure, type UpstreamRequest } from "./upstream.ts";

/** The options of a connection. */
export type ConnectionOptions = {
  readonly fetcher: Fetcher;
  /** The upstream, as the mirror's owner gave it. */
  readonly upstream: string;
  /** Checks a URL before any request to it, also after a redirect. */
  checkUrl(text: string, base?: URL): OutgoingUrl;
  /** The value of the `Authorization` header, for the upstream's own origin and no other. */
  readonly authorization: string | undefined;
  readonly userAgent: string;
  /** Compresses a request's body as gzip. */
  gzip(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** Returns milliseconds since the epoch. */
  now(): number;
};

const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Bodies up to this size are sent uncompressed, as by git. */
const PLAIN_BYTES = 1024;
const ANNOUNCEMENT = "/info/refs?service=git-upload-pack";
const SECOND = 1000;
const LONGEST_WAIT = 24 * 60 * 60 * SECOND;

/** Returns the milliseconds that `Retry-After` asks for. The header holds seconds or a date. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const wait = /^\d{1,9}$/.test(value.trim()) ? Number(value) * SECOND : Date.parse(value) - now;
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), LONGEST_WAIT) : undefined;
}

/** Explains what a status means for a mirror; `undefined` for a success. */
function statusProblem(status: number, hasCredentials: boolean): string | undefined {
  if (status === 200) return undefined;
  if (status === 401)
    return hasCredentials ? "The upstream does not take the credentials." : "The upstream wants credentials.";
  if (status === 403) return "The upstream forbids reading this repository.";
  if (status === 404 || status === 410) {
    return hasCredentials
      ? "The upstream has no such repository, or does not show it to these credentials."
      : "The upstream has no such repository, or shows it only with credentials.";
  }
  if (status === 429) return "The upstream has had too many requests.";
  if (status >= 500) return `The upstream fails: it answers ${status}.`;
  return `The upstream answers ${status}, which is not git's smart HTTP.`;
}

/** The beginning of `info/refs` as a plain file, of which the protocol has no other answer. */
const PLAIN_REFS = /^(?:[0-9a-f]{40}|[0-9a-f]{64})\t(?:refs\/|HEAD)/;
const LOOKED_AT = 128;
/** The statuses of a file that is not there. Some servers of files answer 403 where nobody may list them. */
const ABSENT: ReadonlySet<number> = new Set([403, 404, 410]);

/** Returns the beginning of an answer that is `info/refs` as `git update-server-info` writes it, and else `undefined`. */
async function beginningOfInfoRefs({ body }: UpstreamAnswer): Promise<Uint8Array | undefined> {
  let beginning: Uint8Array = new Uint8Array(0);
  try {
    while (beginning.length < LOOKED_AT) {
      const piece = await body.read(new Uint8Array(LOOKED_AT - beginning.length));
      if (piece.length === 0) break;
      beginning = concat([beginning, piece]);
    }
  } catch {
    // What breaks off is no answer of git's either.
    return undefined;
  }
  return PLAIN_REFS.test(new TextDecoder().decode(beginning)) ? beginning : undefined;
}

/** The first answer of an upstream. `plain` is what was read of it already, if it is `info/refs` as a file. */
export type Discovery = { readonly answer: UpstreamAnswer; readonly plain?: Uint8Array };

/** The connection of one sync to its upstream. */
export class UpstreamConnection {
  readonly #options: ConnectionOptions;
  readonly #origin: string;
  /** The repository's URL, without a slash at its end. A redirect changes it. */
  #base: string;
  /** The number of requests made so far. */
  requests = 0;

  /** Checks the upstream's URL. @throws UpstreamFailure if no request may be made to it. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    const url = this.#check(options.upstream);
    this.#origin = url.origin;
    this.#base = url.href.replace(/\/+$/, "");
  }

  /** Asks the upstream for its advertisement. `protocol` is the value of `Git-Protocol`. @throws UpstreamFailure */
  async discover(protocol: string): Promise<Discovery> {
    let url = this.#check(this.#base + ANNOUNCEMENT);
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#send({ method: "GET", url, headers: { "Git-Protocol": protocol } });
      if (!REDIRECTS.has(answer.status)) {
        const plain = await this.#expect(answer, "application/x-git-upload-pack-advertisement", true);
        return plain === undefined ? { answer } : { answer, plain };
      }
      await answer.cancel();
      if (redirects >= MOST_REDIRECTS) throw new UpstreamFailure("The upstream redirects too often.");
      url = this.#redirected(url, answer.header("Location"));
    }
  }

  /**
   * Asks for a file of the repository by its path; for the bytes from `from` on, up to `to` where that is given. Returns
   * `undefined` if there is none. The answer's status is 206 if it has these bytes alone.
   *
   * @throws UpstreamFailure
   */
  async file(
    path: string,
    range?: { readonly from: number; readonly to?: number },
  ): Promise<UpstreamAnswer | undefined> {
    const asked =
      range === undefined ? {} : { Range: `bytes=${range.from}-${range.to === undefined ? "" : range.to - 1}` };
    // Bytes are counted as they lie there, so nobody may compress them on their way.
    const headers = { "Accept-Encoding": "identity", ...asked };
    const answer = await this.#send({ method: "GET", url: this.#check(`${this.#base}/${path}`), headers });
    if (answer.status === 200 || (answer.status === 206 && range !== undefined)) return answer;
    if (ABSENT.has(answer.status)) {
      await answer.cancel();
      return undefined;
    }
    return await this.#refused(answer);
  }

  /**
   * Sends a request to `git-upload-pack`. `mayCount` is that of {@link UpstreamRequest}.
   *
   * @throws UpstreamFailure
   */
  async ask(
    body: Uint8Array<ArrayBuffer>,
    { protocol, mayCount }: { readonly protocol: string | undefined; readonly mayCount: boolean },
  ): Promise<UpstreamAnswer> {
    const isZipped = body.length > PLAIN_BYTES;
    const answer = await this.#send({
      method: "POST",
      mayCount,
      url: this.#check(`${this.#base}/git-upload-pack`),
      headers: {
        "Content-Type": "application/x-git-upload-pack-request",
        Accept: "application/x-git-upload-pack-result",
        ...(isZipped ? { "Content-Encoding": "gzip" } : {}),
        ...(protocol === undefined ? {} : { "Git-Protocol": protocol }),
      },
      body: isZipped ? this.#options.gzip(body) : body,
    });
    await this.#expect(answer, "application/x-git-upload-pack-result", false);
    return answer;
  }

  async #send(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const { fetcher, authorization, userAgent } = this.#options;
    this.requests++;
    const isHome = request.url.origin === this.#origin;
    return await fetcher.send({
      ...request,
      headers: {
        "User-Agent": userAgent,
        "Accept-Encoding": "gzip",
        Pragma: "no-cache",
        ...request.headers,
        ...(isHome && authorization !== undefined ? { Authorization: authorization } : {}),
      },
    });
  }

  /** Returns the beginning of a plain `info/refs`, where that may come in place of the content type. */
  async #expect(answer: UpstreamAnswer, contentType: string, mayBePlain: boolean): Promise<Uint8Array | undefined> {
    const found = answer.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
    if (answer.status === 200 && found === contentType) return undefined;
    const plain = answer.status === 200 && mayBePlain ? await beginningOfInfoRefs(answer) : undefined;
    return plain ?? (await this.#refused(answer));
  }

  /** Explains an answer that is of no use. */
  async #refused(answer: UpstreamAnswer): Promise<never> {
    await answer.cancel();
    if (REDIRECTS.has(answer.status)) {
      throw new UpstreamFailure("The upstream redirects a request that may not be redirected.");
    }
    const { origin } = new URL(this.#base);
    const isHome = origin === this.#origin;
    const problem =
      answer.status === 401 && !isHome
        ? `The upstream redirects to ${origin}, which wants credentials; the upstream's own are not sent there.`
        : statusProblem(answer.status, isHome && this.#options.authorization !== undefined);
    const retryAfter = parseRetryAfter(answer.header("Retry-After"), this.#options.now());
    throw new UpstreamFailure(problem ?? "The upstream's answer is not git's smart HTTP.", { retryAfter });
  }

  /** Checks the target of a redirect, and takes it as the repository's URL from now on. */
  #redirected(from: URL, location: string | undefined): URL {
    if (location === undefined) throw new UpstreamFailure("The upstream redirects to nowhere.");
    const url = this.#check(location, from);
    // As in git, later URLs can be derived only if the end of the URL is the same.
    if (!url.href.endsWith(ANNOUNCEMENT)) throw new UpstreamFailure("The upstream redirects to something else.");
    if (from.protocol === "https:" && url.protocol !== "https:") {
      throw new UpstreamFailure("The upstream redirects from https:// to http://.");
    }
    this.#base = url.href.slice(0, -ANNOUNCEMENT.length);
    return url;
  }

  #check(text: string, base?: URL): URL {
    const checked = this.#options.checkUrl(text, base);
    if (checked.kind === "refused") throw new UpstreamFailure(`The upstream can't be asked: ${checked.why}`);
    return checked.url;
  }
}
