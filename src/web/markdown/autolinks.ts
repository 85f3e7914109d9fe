/**
 * Addresses that become links as they stand in a text. Each character is looked at a few times, whatever comes of it.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#autolinks-extension-
 */

/** An address in a text, and where it leads to. */
export type Autolink = { readonly start: number; readonly end: number; readonly href: string };

const BEFORE_WWW = /[\s*_~(]/;
const SCHEMES = ["http", "https", "ftp"] as const;
const LONGEST_SCHEME = 5;
const LOCAL = /[A-Za-z0-9._+-]/;
const HOST = /[^\s\p{P}\p{S}]/u;
/** What ends no address. */
const TRAILING = new Set("?!.,:*_~'\"");

/** Returns the addresses of a text, in their order. None begins within another one. */
export function findAutolinks(text: string): Autolink[] {
  const found = [
    ...findByMark(text, "www.", wwwFinder()),
    ...findByMark(text, "://", urlAt),
    ...findByMark(text, "@", mailAt),
  ];
  const links: Autolink[] = [];
  for (const link of found.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = links.at(-1);
    if (last === undefined || link.start >= last.end) links.push(link);
  }
  return links;
}

/** A link, and how far was looked for its end: behind it, nothing but its end was found there. */
type Found = Autolink & { readonly looked: number };

function findByMark(text: string, mark: string, find: (text: string, at: number, from: number) => Found | undefined) {
  const links: Autolink[] = [];
  let from = 0;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, Math.max(from, at + mark.length))) {
    const link = find(text, at, from);
    from = at;
    if (link !== undefined) {
      links.push(link);
      from = link.looked;
    }
  }
  return links;
}

/** Several may begin in one domain, of which none is a link: its characters are looked at for the first of them. */
function wwwFinder(): (text: string, at: number) => Found | undefined {
  let domain: Domain | undefined;
  return (text, at) => {
    if (at > 0 && !BEFORE_WWW.test(text.charAt(at - 1))) return undefined;
    if (domain === undefined || domain.end <= at) domain = domainAt(text, at);
    return isDomain(domain, at) ? linkTo(text, { start: at, domain: domain.end, prefix: "http://" }) : undefined;
  };
}

function urlAt(text: string, at: number): Found | undefined {
  let start = at;
  while (start > 0 && at - start <= LONGEST_SCHEME && /[A-Za-z]/.test(text.charAt(start - 1))) start--;
  const scheme = text.slice(start, at).toLowerCase();
  if (!SCHEMES.some((each) => each === scheme)) return undefined;
  const from = at + "://".length;
  const domain = domainAt(text, from);
  if (!isDomain(domain, from) || !HOST.test(text.charAt(from))) return undefined;
  return linkTo(text, { start, domain: domain.end, prefix: "" });
}

/** Where the characters of a domain end, where its last two labels begin, and where its last underscore is; -1 if nowhere. */
type Domain = { readonly end: number; readonly labels: number; readonly underscore: number };

function domainAt(text: string, at: number): Domain {
  let end = at;
  let [labels, label, underscore] = [at, at, -1];
  for (; end < text.length; end++) {
    const c = text.charAt(end);
    if (c === ".") [labels, label] = [label, end + 1];
    else if (c === "_") underscore = end;
    else if (c !== "-" && !HOST.test(c)) break;
  }
  return { end, labels, underscore };
}

/** Whether a domain may begin at a place within its characters: its last two labels have no underscore. */
function isDomain({ end, labels, underscore }: Domain, at: number): boolean {
  return end > at && underscore < Math.max(at, labels);
}

function linkTo(
  text: string,
  { start, domain, prefix }: { readonly start: number; readonly domain: number; readonly prefix: string },
): Found {
  let looked = domain;
  while (looked < text.length && !/[\s<]/.test(text.charAt(looked))) looked++;
  const end = trimmedEnd(text, start, looked);
  return { start, end, looked, href: prefix + text.slice(start, end) };
}

/** Returns where an address ends without the punctuation that belongs to the sentence around it. */
function trimmedEnd(text: string, start: number, from: number): number {
  let end = from;
  let unmatched = 0;
  for (let at = start; at < end; at++) unmatched += Number(text.charAt(at) === ")") - Number(text.charAt(at) === "(");
  for (; end > start; end--) {
    const c = text.charAt(end - 1);
    if (c === ";") {
      let begin = end - 1;
      while (begin > start && /[A-Za-z0-9]/.test(text.charAt(begin - 1))) begin--;
      if (begin < end - 1 && text.charAt(begin - 1) === "&") end = begin;
    } else if (c === ")" && unmatched > 0) unmatched--;
    else if (!TRAILING.has(c)) break;
  }
  return end;
}

function mailAt(text: string, at: number, from: number): Found | undefined {
  let start = at;
  while (start > from && LOCAL.test(text.charAt(start - 1))) start--;
  let end = at + 1;
  while (end < text.length && /[A-Za-z0-9._-]/.test(text.charAt(end))) end++;
  const looked = end;
  while (text.charAt(end - 1) === ".") end--;
  const domain = text.slice(at + 1, end);
  if (start === at || !/^[A-Za-z0-9_-][^.]*(?:\.[^.]+)+$/.test(domain) || /[-_]$/.test(domain)) return undefined;
  return { start, end, looked, href: `mailto:${text.slice(start, end)}` };
}
