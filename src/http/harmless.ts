/**
 * Headers for files that are their authors', not the host's: nothing in them may run in a browser as if it came from
 * here.
 *
 * @packageDocumentation
 */

/** Headers that make a browser show a file as text or save it, and do nothing else with it. */
export const HARMLESS = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; sandbox",
  "Cross-Origin-Resource-Policy": "same-origin",
  Vary: "Authorization",
} as const;
