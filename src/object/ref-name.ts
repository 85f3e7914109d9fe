/**
 * Decides which names a ref may have. A name is bytes in git; here it is their escaped text, see `escaped-bytes.ts`.
 *
 * @packageDocumentation
 * @see git-check-ref-format(1)
 */
import { textOf } from "./byte-text.ts";
import { bytesOfEscaped, escapedText } from "./escaped-bytes.ts";

/**
 * The longest name of a ref, in bytes. In C git the file system's paths set the bound. Here the bound keeps every name
 * well within a line of an advertisement, and within a row of the ref store.
 */
const MAX_REF_NAME = 4096;

/** See {@link nameSteps}. */
const FIXED_STEPS = 50;
const PLAIN_STEPS = 0.2;
const ESCAPED_STEPS = 2;

/**
 * The characters and sequences that no ref name may have: control characters, space, DEL, and those special to git's
 * revision syntax or to globs.
 */
// eslint-disable-next-line no-control-regex -- control characters are what it is for
const FORBIDDEN = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{/;

function isComponent(component: string): boolean {
  return component !== "" && !component.startsWith(".") && !component.endsWith(".lock");
}

/**
 * Whether git takes `name` for a well-formed full ref name, as `git check-ref-format` does. A name of one component,
 * such as `HEAD`, is not one.
 */
export function checkRefFormat(name: string): boolean {
  const plain = plainName(name);
  if (plain === undefined || FORBIDDEN.test(plain) || plain.endsWith(".")) return false;
  const components = plain.split("/");
  return components.length > 1 && components.every(isComponent);
}

/** Returns a name in which any byte that is not ASCII is like any letter; `undefined` if it is no escaped text. */
function plainName(name: string): string | undefined {
  if (!name.includes("\\")) return name.isWellFormed() ? name : undefined;
  const bytes = bytesOfEscaped(name);
  return escapedText(bytes) === name ? textOf(bytes) : undefined;
}

/** Whether a name has more bytes than a ref's name may have here. */
export function isTooLong(name: string): boolean {
  // A character is three bytes per UTF-16 unit at most.
  return name.length * 3 > MAX_REF_NAME && bytesOfEscaped(name).length > MAX_REF_NAME;
}

/** The steps of looking whether a ref may have a name, of about 10 ns: more where it has escapes. */
export function nameSteps(name: string): number {
  return FIXED_STEPS + name.length * (name.includes("\\") ? ESCAPED_STEPS : PLAIN_STEPS);
}

/**
 * Returns the full names that a short one may stand for, in the order in which git tries them; the first is the name
 * itself. A caller that needs exactly one ref must treat a name as ambiguous if several of them exist.
 *
 * @see gitrevisions(7); `ref_rev_parse_rules` in git's refs.c
 */
export function expandRefName(name: string): string[] {
  return [
    name,
    `refs/${name}`,
    `refs/tags/${name}`,
    `refs/heads/${name}`,
    `refs/remotes/${name}`,
    `refs/remotes/${name}/HEAD`,
  ];
}

/**
 * Whether a client may create or move a ref of this name. The name must lie under `refs/`, and the rest must itself be
 * well formed, so that `refs/x` is refused. If it is false, git's receive-pack reports `funny refname`.
 *
 * @see git-receive-pack(1)
 */
export function isPushableRefName(name: string): boolean {
  return name.startsWith("refs/") && checkRefFormat(name.slice("refs/".length));
}
