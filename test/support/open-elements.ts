/**
 * Which elements of an HTML text are open at its end.
 *
 * @packageDocumentation
 * @see https://html.spec.whatwg.org/multipage/syntax.html#void-elements
 */

const VOID = new Set(["br", "hr", "img", "input", "link", "meta", "source", "wbr"]);
const TAG = /<(\/?)([a-z][a-z0-9]*)(?:\s+[^\s"'<>/=]+(?:="[^"]*")?)*\s*(\/?)>/g;

/** Returns the names of the open elements, the outermost first. @throws Error if an end tag closes another element than the last one */
export function openElements(html: string): string[] {
  const open: string[] = [];
  const text = html.replaceAll(/<!--.*?-->|<!doctype html>/gs, "");
  const rest = text.replaceAll(TAG, (_, isEnd: string, name: string, isClosed: string) => {
    if (isEnd === "") {
      if (!VOID.has(name) && isClosed === "") open.push(name);
    } else if (open.pop() !== name) throw new Error(`</${name}> closes another element`);
    return "";
  });
  const [odd] = /[^>]{0,20}<.{0,20}/.exec(rest) ?? [];
  if (odd !== undefined) throw new Error(`no tag: ${odd}`);
  return open;
}
