/**
 * Decides what `.gitmodules` may say about a submodule. With some names and URLs, old clients ran commands, sent
 * credentials to the wrong host, or wrote files outside. A host refuses these to protect those who clone.
 *
 * Text has one character per byte.
 *
 * @packageDocumentation
 * @see gitmodules(5), `check_submodule_name` and `check_submodule_url` in git
 */

/** Whether a submodule may have this name: it is not empty, and no component is `..`. */
export function isSubmoduleName(name: string): boolean {
  return name !== "" && !name.split(/[/\\]/).includes("..");
}

/** Whether a command would take `text` for an option. */
export function looksLikeOption(text: string): boolean {
  return text.startsWith("-");
}

/** Undoes percent-encoding as git does: not before a colon, which ends a scheme, and not for a NUL. */
function decodeUrl(url: string): string {
  const colon = Math.max(url.indexOf(":"), 0);
  const decoded = url
    .slice(colon)
    .replaceAll(/%([0-9a-f]{2})/gi, (all, hex: string) =>
      hex === "00" ? all : String.fromCharCode(Number.parseInt(hex, 16)),
    );
  return url.slice(0, colon) + decoded;
}

/** Whether a URL, or a part of one, has a line feed once it is decoded. */
function hasNewline(url: string): boolean {
  const isPlain = !url.includes("%");
  return (isPlain ? url : decodeUrl(url)).includes("\n");
}

const isRelative = (url: string): boolean => /^\.\.?[/\\]/.test(url);

/** Whether `../` leads out of the base of a relative URL, to a place where a host or a scheme is read. */
function escapesRoot(url: string): boolean {
  // The expression matches at least the empty text.
  const dots = /^(?:\.\.?[/\\])*/.exec(url)?.[0] ?? "";
  const next = url.charAt(dots.length);
  return /(?:^|[/\\])\.\.[/\\]/.test(dots) && (next === ":" || next === "/");
}

/** Returns the URL that git would pass to its HTTP helper; `undefined` if it would not use that. */
function httpUrl(url: string): string | undefined {
  const helper = /^(?:https?|ftps?)::/.exec(url)?.[0];
  if (helper !== undefined) return url.slice(helper.length);
  return /^(?:https?|ftps?):\/\//.test(url) ? url : undefined;
}

/** Whether git can take a user, a host and a path out of the URL of a credential: it has a host, and no line feed. */
function isCredentialUrl(url: string): boolean {
  const scheme = url.indexOf("://");
  if (scheme <= 0) return false;
  const rest = url.slice(scheme + 3);
  const slash = rest.search(/[/?#]/);
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? "" : rest.slice(slash).replace(/^\/+/, "");
  const at = authority.indexOf("@");
  const user = at < 0 ? "" : authority.slice(0, at);
  const host = authority.slice(at + 1);
  const colon = user.indexOf(":");
  const name = colon < 0 ? user : user.slice(0, colon);
  const password = colon < 0 ? "" : user.slice(colon + 1);
  if (decodeUrl(host) === "" || url.slice(0, scheme).includes("\n")) return false;
  return ![name, password, host, path].some(hasNewline);
}

/** Whether a submodule may have this URL. */
export function isSubmoduleUrl(url: string): boolean {
  if (looksLikeOption(url)) return false;
  if (isRelative(url) || url.startsWith("git://")) return !hasNewline(url) && !escapesRoot(url);
  const http = httpUrl(url);
  return http === undefined || isCredentialUrl(http);
}
