/**
 * The supported part of git's revision syntax: a name, then any of `^`, `^N`, `~N` and `^{type}`, then `:path`.
 *
 * @packageDocumentation
 * @see gitrevisions(7)
 */
import { readEscapes } from "../object/escaped-bytes.ts";
import type { ObjectType } from "../object/object-type.ts";

/** One step from an object to another. `of: "any"` follows tags until the object is no tag. */
export type RevisionStep =
  | { readonly kind: "parent"; readonly number: number }
  | { readonly kind: "ancestor"; readonly generations: number }
  | { readonly kind: "peel"; readonly to: ObjectType | "any" | "object" };

/** A parsed revision. */
export type RevisionSyntax = {
  /** The name of a ref (short or full) as escaped text, `HEAD`, or an object name (abbreviated or full). */
  readonly base: string;
  readonly steps: readonly RevisionStep[];
  /** The text after the colon, one character per byte; `undefined` if there is none. */
  readonly path?: string;
};

/** One way to split `{revision}/{path}` into its two parts. */
export type RevisionSplit = { readonly revision: RevisionSyntax; readonly path: string };

const STEP = /\^\{([a-z]*)\}|\^(\d{0,9})|~(\d{0,9})/y;
const PEEL: Readonly<Record<string, Extract<RevisionStep, { kind: "peel" }>["to"]>> = {
  "": "any",
  commit: "commit",
  tree: "tree",
  blob: "blob",
  tag: "tag",
  object: "object",
};
/** The most components of a ref name that are tried. */
const MOST_COMPONENTS = 32;
/** The bytes of the longest possible ref name. */
const MOST_NAME_BYTES = 4096;

/** Parses a revision, one character per byte. Returns `undefined` if it is not of the supported syntax. */
export function parseRevision(text: string): RevisionSyntax | undefined {
  const colon = text.indexOf(":");
  const named = colon < 0 ? text : text.slice(0, colon);
  const end = named.search(/[\^~]/);
  const base = decodeName(end < 0 ? named : named.slice(0, end));
  if (base === undefined || base === "" || base.includes("@{") || base.includes("..")) return undefined;
  const steps = end < 0 ? [] : parseSteps(named.slice(end));
  if (steps === undefined) return undefined;
  return { base, steps, ...(colon < 0 ? {} : { path: text.slice(colon + 1) }) };
}

function parseSteps(text: string): RevisionStep[] | undefined {
  const steps: RevisionStep[] = [];
  STEP.lastIndex = 0;
  for (let at = 0; at < text.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (match === null) return undefined;
    const [, peel, parent, generations] = match;
    if (peel !== undefined) {
      const to = PEEL[peel];
      if (to === undefined) return undefined;
      steps.push({ kind: "peel", to });
    } else if (parent !== undefined) {
      steps.push({ kind: "parent", number: parent === "" ? 1 : Number(parent) });
    } else {
      steps.push({ kind: "ancestor", generations: generations === "" ? 1 : Number(generations) });
    }
  }
  return steps;
}

/** Returns the escaped text of a ref's name; `undefined` if no name is as long. */
function decodeName(text: string): string | undefined {
  return text.length > MOST_NAME_BYTES ? undefined : readEscapes(text);
}

/**
 * Returns every way to split `{revision}/{path}`, the longest revision first. Both branch names and paths may have
 * slashes.
 */
export function splitRevisionPath(text: string): RevisionSplit[] {
  const components = text.split("/");
  const splits: RevisionSplit[] = [];
  for (let count = Math.min(components.length, MOST_COMPONENTS); count > 0; count--) {
    const revision = parseRevision(components.slice(0, count).join("/"));
    if (revision === undefined || revision.path !== undefined) continue;
    splits.push({ revision, path: components.slice(count).join("/") });
  }
  return splits;
}
