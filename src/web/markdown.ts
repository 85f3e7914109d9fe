/**
 * Markdown in GitHub's dialect, as HTML that is safe to stand in a page: what an author writes never becomes markup
 * except through the lists of `html-filter.ts`, and every address is rewritten here.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/
 */
import type { RepositoryName } from "../access/names.ts";
import { ANCHOR, escapeHtml, type HtmlAddresses, HtmlFilter, type Rewrite } from "./html-filter.ts";
import { pathLink } from "./links.ts";
import { documentHtml } from "./markdown/render.ts";
import { TooMuchWork, Work } from "./markdown/work.ts";

/** Where a document lies. `revision` and `directory` have one character per byte. */
export type DocumentPlace = {
  readonly name: RepositoryName;
  readonly revision: string;
  readonly directory: string;
};

/** The steps of a character of an address, as it was written and as it is shown: its directory stands in each one. */
const ADDRESS_STEPS = 10;

const SCHEME = /^[a-zA-Z][a-zA-Z0-9+.-]*:/;
const OUTSIDE = /^(?:https?:\/\/|mailto:)/i;
const utf8 = new TextEncoder();

/** Removes the characters that browsers ignore within an address, and spaces around it. */
function trimmed(address: string): string {
  return Array.from(address)
    .filter((c) => c > "\x1f" && c !== "\x7f")
    .join("")
    .trim();
}

/** Returns the path, one character per byte, that a relative address leads to; `undefined` if it leads out. */
function resolvedPath(directory: string, address: string): string | undefined {
  const bytes = String.fromCharCode(...utf8.encode(address.slice(0, 4096)));
  const path = bytes.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const parts = path.startsWith("/") || directory === "" ? [] : directory.split("/");
  for (const part of path.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

/** Splits an address into its path and what begins with `?` or `#`. */
function splitAddress(address: string): { readonly path: string; readonly fragment: string } {
  const at = address.search(/[?#]/);
  if (at < 0) return { path: address, fragment: "" };
  const hash = address.indexOf("#");
  return { path: address.slice(0, at), fragment: hash < 0 ? "" : address.slice(hash + 1) };
}

function anchorOf(fragment: string): string {
  return fragment === ""
    ? ""
    : `#${/^L\d+$/.test(fragment) ? "" : ANCHOR}${encodeURIComponent(decodedFragment(fragment))}`;
}

function decodedFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

/** Returns how the addresses of a document are rewritten. */
export function addressesOf({ name, revision, directory }: DocumentPlace): HtmlAddresses {
  const inside = (page: "blob" | "raw", address: string): string | undefined => {
    const { path, fragment } = splitAddress(address);
    const target = resolvedPath(directory, path);
    if (target === undefined) return undefined;
    return `${pathLink(name, target === "" ? "tree" : page, revision, target)}${page === "blob" ? anchorOf(fragment) : ""}`;
  };
  return {
    link: (address) => {
      const text = trimmed(address);
      if (OUTSIDE.test(text)) return text;
      if (SCHEME.test(text) || text.startsWith("//")) return undefined;
      if (text.startsWith("#")) return anchorOf(text.slice(1));
      return inside("blob", text);
    },
    image: (address) => {
      const text = trimmed(address);
      if (SCHEME.test(text) || text.startsWith("//")) return undefined;
      return inside("raw", text);
    },
  };
}

/** Counts the work of rewriting addresses. */
function counted(rewrite: Rewrite, work: Work): Rewrite {
  return (address) => {
    const shown = rewrite(address);
    work.add(ADDRESS_STEPS * (address.length + (shown ?? "").length)); // What may not be shown has no length.
    return shown;
  };
}

/**
 * Returns a document as HTML. One that would take long to parse is shown as it is written. Yields the steps that were taken:
 * whoever runs it lets others run in between.
 */
export function* renderMarkdown(text: string, place: DocumentPlace): Generator<number, string, undefined> {
  const work = new Work();
  const { link, image } = addressesOf(place);
  const addresses = { link: counted(link, work), image: counted(image, work) };
  try {
    const html = yield* documentHtml(text, addresses, work);
    yield work.take();
    // What it makes is not trusted: a parser and a browser may differ in what is a tag. The filter is the last step.
    const filter = new HtmlFilter(addresses);
    return (yield* filter.filter(html)) + filter.end();
  } catch (error) {
    if (error instanceof TooMuchWork) return `<pre>${escapeHtml(text)}</pre>`;
    throw error;
  }
}
