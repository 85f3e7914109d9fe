/**
 * Remembers pages of the list of public repositories for some seconds: the front page of a host that many people visit asks for one each
 * time, and a page costs a call for each repository on it. Whatever became private, or went, may be on it that much longer.
 *
 * @packageDocumentation
 */
import { ExpiringMap } from "../bytes/expiring-map.ts";

/** How long a page is used, in milliseconds. */
const TIME = 10_000;
/** A page has some 50 KiB at most. */
const MOST = 32;

/** The memory of one isolate. `Page` is what was found out for a page. */
export class PublicPages<Page> {
  readonly #pages = new ExpiringMap<Page>({ time: TIME, most: MOST });

  /** Returns a page: the one that is remembered, or what `find` gives. */
  async get(key: string, find: () => Promise<Page>): Promise<Page> {
    const kept = this.#pages.get(key, Date.now());
    if (kept !== undefined) return kept;
    const found = await find();
    this.#pages.set(key, found, Date.now());
    return found;
  }
}
