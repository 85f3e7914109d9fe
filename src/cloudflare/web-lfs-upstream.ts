/**
 * `LfsUpstream` on the platform's `fetch`. Each address is checked as those of mirrors are, also after a redirect. The
 * mirror's credentials go to the upstream's own origin alone, and the headers that its answer gives for an object go to
 * the origin that this answer names.
 *
 * @packageDocumentation
 */
import type { OutgoingUrl } from "../access/outgoing-url.ts";
import { batchAddress, batchBody, type LfsUpstream, offeredActions, type OfferedObject } from "../lfs/lfs-upstream.ts";
import type { LfsAction } from "../lfs/lfs-files.ts";
import type { LfsObject } from "../refs/lfs-store.ts";
import { copyAtLeastRate } from "./copy-at-least-rate.ts";

const LFS_TYPE = "application/vnd.git-lfs+json";
/** How long an upstream may take to answer a batch, and to begin a file, in milliseconds. */
const PATIENCE = 15_000;
/** How long the bytes of a file may come more slowly than the least rate, in milliseconds. */
const SLOW_PATIENCE = 60_000;
/** Bytes of the largest answer to a batch that is read. */
const MOST_ANSWER = 2 * 1024 * 1024;
const MOST_REDIRECTS = 5;
/** Objects of one request to an upstream, as the stock client has it. */
const BATCH = 100;
/** The statuses of an upstream that has no server of Git LFS. */
const NO_LFS: ReadonlySet<number> = new Set([404, 405, 410, 501]);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What a mirror's upstream is reached by. */
export type UpstreamAccess = {
  readonly upstream: string;
  /** The value of `Authorization`, for the upstream's own origin. */
  readonly authorization: string | undefined;
  readonly userAgent: string;
  checkUrl(text: string, base?: URL): OutgoingUrl;
  mostBytes(): Promise<number | undefined>;
  /** When files that have not come are given up. Absent where nobody else waits. */
  readonly deadline?: AbortSignal;
};

/** Runs work that has to end in time. Its signal calls off what is still under way then. */
async function inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(), PATIENCE);
  try {
    return await work(slow.signal);
  } finally {
    clearTimeout(timer);
  }
}

async function send(url: URL, init: RequestInit): Promise<Response> {
  return await fetch(url, { ...init, redirect: "manual" });
}

/** Returns the JSON of an answer, which is held only as far as it has come; `undefined` if it is too long or too late. */
async function jsonOf(response: Response, signal: AbortSignal): Promise<unknown> {
  if (response.body === null) return undefined;
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const late = new Promise<undefined>((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined));
  });
  const decoder = new TextDecoder();
  let text = "";
  for (let length = 0; length < MOST_ANSWER;) {
    const piece = await Promise.race([reader.read(), late]);
    if (piece === undefined) break;
    if (piece.done) return JSON.parse(text + decoder.decode());
    length += piece.value.byteLength;
    text += decoder.decode(piece.value, { stream: true });
  }
  await reader.cancel();
  return undefined;
}

/**
 * Passes a file on as long as it comes at the least rate, and until the deadline. One that is given up, or has another
 * length, breaks the reading off. The deadline has not passed yet.
 */
function passOn(body: ReadableStream, size: number, deadline?: AbortSignal): ReadableStream {
  const whole = new FixedLengthStream(size);
  const reader = body.getReader({ mode: "byob" });
  const writer = whole.writable.getWriter();
  // Who reads is told, and who writes as well: here it is of no use.
  writer.closed.catch(() => undefined);
  const giveUp = async (reason: unknown): Promise<void> => {
    await Promise.allSettled([writer.abort(reason), reader.cancel(reason)]);
  };
  const onDeadline = (): void => void giveUp(deadline?.reason);
  deadline?.addEventListener("abort", onDeadline);
  const read = async (buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> =>
    (await reader.read(buffer)).value ?? new Uint8Array(0);
  copyAtLeastRate({ read }, writer, SLOW_PATIENCE)
    .then(() => writer.close())
    .catch(giveUp)
    .finally(() => deadline?.removeEventListener("abort", onDeadline));
  return whole.readable;
}

/** Opens the upstream of a mirror. */
export function webLfsUpstream(access: UpstreamAccess): LfsUpstream {
  const checked = (text: string, base?: URL): URL | undefined => {
    const found = access.checkUrl(text, base);
    return found.kind === "refused" ? undefined : found.url;
  };
  const ask = async (objects: readonly LfsObject[]): Promise<Map<string, OfferedObject> | undefined> => {
    const url = checked(batchAddress(access.upstream));
    if (url === undefined) return undefined;
    const { authorization, userAgent } = access;
    const headers = {
      "User-Agent": userAgent,
      Accept: LFS_TYPE,
      "Content-Type": LFS_TYPE,
      ...(authorization === undefined ? {} : { Authorization: authorization }),
    };
    return await inTime(async (signal) => {
      const response = await send(url, { method: "POST", headers, body: batchBody(objects), signal });
      if (response.status === 200) {
        const json = await jsonOf(response, signal);
        return json === undefined ? undefined : offeredActions(json);
      }
      await response.body?.cancel();
      // An upstream without Git LFS has nothing. Any other answer may be another one soon.
      return NO_LFS.has(response.status) ? new Map() : undefined;
    });
  };
  const follow = async ({ href, header = {} }: LfsAction): Promise<Response | undefined> => {
    let url = checked(href);
    const home = url?.origin;
    for (let redirects = 0; url !== undefined && redirects <= MOST_REDIRECTS; redirects++) {
      const own = url.origin === home ? header : {};
      const headers = { ...own, "User-Agent": access.userAgent, "Accept-Encoding": "identity" };
      const at = url;
      const response = await inTime((signal) => send(at, { headers, signal }));
      if (!REDIRECTS.has(response.status)) return response;
      await response.body?.cancel();
      const next = checked(response.headers.get("Location") ?? "", url); // A missing one is refused below.
      url = next?.href === url.href ? undefined : next;
    }
    return undefined;
  };
  return {
    mostBytes: () => access.mostBytes(),
    offers: async (objects) => {
      const offered = new Map<string, number>();
      try {
        for (let at = 0; at < objects.length; at += BATCH) {
          const some = await ask(objects.slice(at, at + BATCH));
          if (some === undefined) return undefined;
          for (const [oid, { size }] of some) offered.set(oid, size);
        }
        return offered;
      } catch {
        return undefined;
      }
    },
    open: async (object) => {
      const { deadline } = access;
      // Who listens to a signal that has fired already hears nothing.
      const isOver = (): boolean => deadline?.aborted === true;
      if (isOver()) return undefined;
      try {
        const offered = (await ask([object]))?.get(object.oid);
        const response = offered === undefined ? undefined : await follow(offered.action);
        if (response?.status === 200 && response.body !== null && !isOver()) {
          return passOn(response.body, object.size, deadline);
        }
        await response?.body?.cancel();
      } catch {
        // As above.
      }
      return undefined;
    },
  };
}
