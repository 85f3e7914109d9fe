/**
 * What `.gitmodules` may say of a submodule. Old clients ran into trouble with such names and URLs: commands, credentials sent
 * to the wrong host, files written outside. A host refuses them for the sake of those who clone.
 *
 * Text has one character for each byte.
 *
 * @packageDocumentation
 * @see gitmodules(5), `check_submodule_name` and `check_submodule_url` in git
 */

/** Whether a submodule may have this name: not empty, and no component is `..`. */
export function isSubmoduleName(name: string): boolean {
  return name !== "" && !name.split(/[/\\]/).includes("..");
}

/** Says whether a command would take `text` for an option. */
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

/** Says whether `../` leads out of what a relative URL is relative to, to a place where a host or a scheme is read. */
function escapesRoot(url: string): boolean {
  // The expression matches the empty text at least.
  const dots = /^(?:\.\.?[/\\])*/.exec(url)?.[0] ?? "";
  const next = url.charAt(dots.length);
  return /(?:^|[/\\])\.\.[/\\]/.test(dots) && (next === ":" || next === "/");
}

/** Gives what git would hand to its HTTP helper; `undefined` where it would not. */
function httpUrl(url: string): string | undefined {
  const helper = /^(?:https?|ftps?)::/.exec(url)?.[0];
  if (helper !== undefined) return url.slice(helper.length);
  return /^(?:https?|ftps?):\/\//.test(url) ? url : undefined;
}

/** Whether git can take a user, a host and a path out of the URL of a credential: there is a host, and no line feed. */
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
