/**
 * Finds what is wrong with a query: an encoding that is none, and a text that is not UTF-8. A URL's own reading of it puts something else in
 * the place of both, so that another thing would be asked for than was sent.
 *
 * @packageDocumentation
 * @see RFC 3986, section 2.1; https://url.spec.whatwg.org/#urlencoded-parsing
 */
import { bytesOf } from "../object/byte-text.ts";
import { queryPairs } from "./content-address.ts";

/** Parameters whose values are bytes in git: names of refs, revisions, paths, and what is looked for in files. */
const BYTES: ReadonlySet<string> = new Set(["rev", "path", "ref", "sha", "branch", "prefix", "ignore_revs", "q"]);
/** A percent sign that no two digits follow. */
const NO_ENCODING = /%(?![0-9a-f]{2})/i;
/** Characters of a name that an answer repeats. */
const MOST_SHOWN = 100;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A parameter that is not what it should be. */
export type QueryFault = { readonly parameter: string; readonly detail: string };

/** Whether text that has one character per byte is UTF-8. */
function isUtf8(bytes: string): boolean {
  try {
    strict.decode(bytesOf(bytes));
    return true;
  } catch {
    return false;
  }
}

/** Returns what is wrong with the query of a URL; `undefined` if nothing is. `inBytes` are parameters that need not be UTF-8. */
export function queryFault(url: string, inBytes = BYTES): QueryFault | undefined {
  const { search } = new URL(url);
  const raw = search
    .slice(1)
    .split("&")
    .filter((pair) => pair !== "");
  const pairs = queryPairs(url);
  for (const [at, [name, value]] of pairs.entries()) {
    const parameter = isUtf8(name) ? strict.decode(bytesOf(name)).slice(0, MOST_SHOWN).toWellFormed() : "";
    const sent = raw[at] ?? ""; // There is one for each.
    if (NO_ENCODING.test(sent))
      return { parameter, detail: `the parameter ${JSON.stringify(parameter)} has a % that encodes nothing` };
    if (!isUtf8(name) || (!inBytes.has(name) && !isUtf8(value)))
      return { parameter, detail: `the parameter ${JSON.stringify(parameter)} is not UTF-8` };
  }
  return undefined;
}
