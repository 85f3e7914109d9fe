/**
 * Answers with a page of a repository's content. Its head is sent as soon as the status of the answer is known, and what has to be
 * read or computed follows, so that nobody looks at an empty window meanwhile.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { html, raw } from "hono/html";
import type { Child } from "hono/jsx";
import type { ByteSink } from "../bytes/byte-stream.ts";
import { concat } from "../bytes/chunk.ts";
import { HostBusy } from "../bytes/failure.ts";
import { streamContent } from "../http/content.ts";
import { explainError } from "../http/problem.ts";
import type { BrowseSession } from "../browse/browse-session.ts";
import type { Alternate } from "./layout.tsx";
import { type Page, rendered } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { crumbsOf, RepositoryFrame, type Tab } from "./repository-frame.tsx";
import { type RepositoryPage, shownNames } from "./repository-request.ts";

/** Stands where the content goes while the frame is rendered. All text of authors is escaped, and can't be this. */
const PLACE = "<!--content-->";
const encoder = new TextEncoder();

/** What is found out of a page while its content is made. */
export type Rendering = {
  /** Whether something was left out that a later request might find. Such a page is made anew each time. */
  isPartial: boolean;
};

/**
 * Parts of a page, in their order. At the end of a part nothing may be open, unless the next one comes without anything that can
 * fail. Before objects are read after a part, {@link BrowseSession.awake} is called: the client may have been slow to take it.
 */
export type Parts = Iterable<Child> | AsyncIterable<Child>;

/** A page of a repository's content. */
export type ContentPage = {
  /** What the page is of; without it, the page is of the repository. */
  readonly title?: string;
  readonly description?: string;
  readonly tab: Tab;
  /** The revision that the tabs lead to, with one character per byte; HEAD if absent. */
  readonly revision?: string;
  /** The directory or file that is shown, if it is one. Both have one character per byte. */
  readonly at?: { readonly revision: string; readonly path: string };
  readonly alternates?: readonly Alternate[];
  /** Whether its content is differences. A HEAD request has nothing of them made, and is told neither a length nor a tag. */
  readonly hasDifferences?: boolean;
  /** What stands above the content, and is known at once. */
  readonly head?: Child;
  /**
   * Makes the content, once the head is on its way. All walks end before the parts are returned: the kernel is given to others
   * when the client is slow to take them. Parts may still read objects.
   */
  readonly content: (rendering: Rendering) => Promise<Parts>;
};

/** How a page is delivered. */
export type Delivery = {
  /** The headers. For `HEAD`, they are read when all is done. */
  readonly headers: Headers;
  /** The most bytes of a page that are gathered for `finish`. */
  readonly mostGathered: number;
  /**
   * Called with the bytes of a page that is whole, before its end is sent; with nothing if there were more than the bound.
   * `length` is the number of all bytes.
   */
  readonly finish: (page: Uint8Array<ArrayBuffer> | undefined, length: number) => Promise<void>;
};

/** Returns the HTML of a part of a page. */
export async function htmlOf(child: Child): Promise<string> {
  return String(await html`${child}`);
}

/** Returns the whole page, with a place for its content. */
function framed(page: RepositoryPage, shown: ContentPage): Page {
  const { title, description, tab, revision = "HEAD", at, alternates = [], head } = shown;
  const { tenant, repo } = shownNames(page.name);
  return {
    title: title === undefined ? `${tenant}/${repo}` : `${title} - ${tenant}/${repo}`,
    ...(description === undefined ? {} : { description }),
    crumbs: crumbsOf(page, at),
    alternates,
    body: (
      <RepositoryFrame shown={page} tab={tab} revision={revision}>
        {head}
        {raw(PLACE)}
      </RepositoryFrame>
    ),
  };
}

/** Stands in place of what could not be made. The status has been sent, so that the page has to say it. */
function Missing({ detail }: { readonly detail: string }) {
  return (
    <p class="error" role="alert">
      The rest of this page is missing. {detail}
    </p>
  );
}

/** Writes a page, and gathers its bytes as long as there are not too many. */
class PageWriter {
  readonly #session: BrowseSession;
  readonly #output: ByteSink;
  readonly #most: number;
  #gathered: Uint8Array[] | undefined = [];
  #length = 0;

  constructor(session: BrowseSession, output: ByteSink, most: number) {
    this.#session = session;
    this.#output = output;
    this.#most = most;
  }

  get length(): number {
    return this.#length;
  }

  /** All bytes so far; `undefined` if they were too many. */
  get bytes(): Uint8Array<ArrayBuffer> | undefined {
    return this.#gathered && concat(this.#gathered);
  }

  gather(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length > this.#most) this.#gathered = undefined;
    if (this.#gathered === undefined) return;
    this.#session.keep(bytes.length);
    this.#gathered.push(bytes);
  }

  /** Sends bytes. Where no kernel was free afterwards, the page asks again before it reads, and says so if there is still none. */
  async send(bytes: Uint8Array): Promise<void> {
    try {
      await this.#output.write(bytes);
    } catch (error) {
      if (!(error instanceof HostBusy)) throw error;
    }
  }

  async write(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    this.gather(bytes);
    await this.send(bytes);
  }

  /** Gathers nothing any more: the page is not whole, and the session may be closed. */
  stopGathering(): void {
    this.#gathered = undefined;
  }
}

/** Yields the HTML of a page's content. Where it can't be made, the last piece says why, and the page is partial. */
async function* piecesOf(
  context: Context<PageEnv>,
  { session }: RepositoryPage,
  { content }: ContentPage,
  { rendering, writer }: { readonly rendering: Rendering; readonly writer: PageWriter },
): AsyncGenerator<string> {
  try {
    const parts = await content(rendering);
    session.parkWhileWaiting();
    for await (const part of parts) yield await htmlOf(part);
  } catch (error) {
    rendering.isPartial = true;
    writer.stopGathering();
    // The kernel is not needed for the words, which a slow client may take long to read.
    session.close();
    const { status, detail } = explainError("page", error);
    if (status >= 500) context.var.host.traffic.breakOff("failed", error);
    yield await htmlOf(<Missing detail={detail} />);
  }
}

/** Answers with a page of content. The session is closed when the answer ends. */
export async function streamedPage(
  context: Context<PageEnv>,
  page: RepositoryPage,
  shown: ContentPage,
  { headers, mostGathered, finish }: Delivery,
): Promise<Response> {
  const bodiless = context.req.raw.method === "HEAD";
  if (bodiless && shown.hasDifferences === true) return new Response(null, { headers });
  const [head = "", end = ""] = (await rendered(context, framed(page, shown))).split(PLACE);
  const { session } = page;
  page.handOver();
  return await streamContent(context.var.host, session, { headers, bodiless }, async (output) => {
    const writer = new PageWriter(session, output, mostGathered);
    const rendering: Rendering = { isPartial: false };
    await writer.write(head);
    await session.repository.pacer.rest();
    for await (const piece of piecesOf(context, page, shown, { rendering, writer })) await writer.write(piece);
    const last = encoder.encode(end);
    writer.gather(last);
    if (!rendering.isPartial) await finish(writer.bytes, writer.length);
    await writer.send(last);
  });
}
