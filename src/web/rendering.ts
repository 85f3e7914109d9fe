/**
 * What pages need to show text: Markdown and syntax colours. It is a module of its own in what is deployed, loaded when
 * a page first needs it: a fifth of all code, that no clone and no push runs.
 *
 * @packageDocumentation
 */
import { highlightedInParts, languageOf } from "./highlight.ts";
import { renderMarkdown } from "./markdown.ts";

/** The functions of the module. */
export const rendering = { highlightedInParts, languageOf, renderMarkdown } as const;
