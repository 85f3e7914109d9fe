/**
 * Keeps rendered pages in the cache of the platform's location. It has no effect where the platform has none, as on
 * `workers.dev`.
 *
 * @packageDocumentation
 */
import type { KeptPages } from "../web/page-host.ts";

/** Seconds that a page is kept at most. A name stands for one content, so that none is ever out of date. */
const KEPT_SECONDS = 7 * 24 * 3600;
/** No request of a client ever has this origin, so none finds what lies here but by this module. */
const ORIGIN = "https://pages.invalid/";

/** Returns the pages that are kept. `until` takes work that goes on behind the answer. */
export function keptPages(until: (work: Promise<unknown>) => void): KeptPages {
  const put = async (key: string, bytes: ArrayBuffer): Promise<void> => {
    const headers = { "Cache-Control": `public, max-age=${KEPT_SECONDS}`, "Content-Length": String(bytes.byteLength) };
    try {
      await caches.default.put(ORIGIN + key, new Response(bytes, { headers }));
    } catch {
      // A page that could not be kept is rendered again.
    }
  };
  return {
    read: async (key) => {
      try {
        return await (await caches.default.match(ORIGIN + key))?.arrayBuffer();
      } catch {
        // A cache that fails is as good as an empty one.
        return undefined;
      }
    },
    keep: async (key, bytes) => {
      const work = put(key, bytes);
      until(work);
      await work;
    },
  };
}
