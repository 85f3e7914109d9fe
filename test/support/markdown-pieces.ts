/**
 * Pieces of documents that make a parser work: signs of each kind of block and text, whole and broken off. Repeated, or one
 * beside another, they are what parsers have been found to take long over.
 *
 * @packageDocumentation
 */

/** The pieces. */
export const MARKDOWN_PIECES: readonly string[] = [
  // Blocks around others.
  ..."> |- |* |+ |1. |2) |- a\n|- a\n  - b\n|  - b\n|1. a\n|1.\n|- \n|-\n\n|-\ta\n|+ a\n\n|> a\n|>\n|>\n\n|> - a\n|> > > |- - - |* * a\n|a\nb\n".split("|"), // prettier-ignore
  ..."- [ ] |   a\n|> ```\n|- ```\n".split("|"),
  // Blocks of text.
  ..."# |#\n|## a\n|######\n|# #\n|# a #\n|=\n|==\n|-\n|--|---\n|***\n|a\n=\n|a\n-\n|a\n---\n\n|```\n|~~~\n|``` a\n|```a`\n|~~~a\n~~~\n|    a\n|\ta\n".split("|"), // prettier-ignore
  // Tables.
  ..."|¦| ¦||¦|\n¦|-¦|-|\n¦-|-\n¦a|b\n¦a|¦\\|¦`|¦|a|\n|-|\n¦|a|b|\n|-|-|\n¦:-:|¦:".split("¦"),
  // HTML.
  ..."<|>|<a |</a|<a b='|<a b=\" |<a\n|<a b=\n|<b|<br>|<br/>|<p>|</p>|<td>|<li>|<div>|<pre>|</pre>\n|<script>|<style>\n|<x-y a=b c='d' e|<a href=\"x\">|<img src=x>".split("|"), // prettier-ignore
  ..."<!--|-->|<!-- a -->|<!|<!a |<!A>|<?|<![CDATA[|&|&amp;|&#1;|&#x|&#X22;|&a;".split("|"),
  // Links.
  ..."[|]|![|[a](|](b)|[a](b)|![a](b)|[[a](b)|[a](<b|[a](b \"|[a](b 'c|[a]|[a][|[]|[](|[]()|![](|[\\|[^a]|*[|]*|**[|`[|_[a](b)_".split("|"), // prettier-ignore
  ..."[a]: b\n|[a]: b \"|[a]:\n|[a]: <\n|[a]: b 'c\n|[a]: b\n'c\n|[a\n|(|)|()|((a|))|a)b".split("|"),
  // Footnotes.
  ..."[^|[^]|[^a|[^a]:|[^a]: |[^a]: b\n|[^a]:\n\n    b\n|[^a][^a]: [^a]\n|[^a]: [^b]: |![^a]|[^*a]|[^[a]|> [^a]: b\n|- [^a]: b\n|    [^a]: b\n|[^a](b)".split("|"), // prettier-ignore
  ..."www.|www.a|(www.a.b|http://|http://a|://|a@b|a@b.c |a@|@|a.b@c.d.e|-_.@|<http://a|<a@b.c|w|h".split("|"),
  // Emphasis and code.
  ..."*|_|**|***|~|~~|a**b|a_b|*a |_a |**a |~~a |*a_|a*|a_ |__a*|*a*|**a**|~~a~~|`|``|`a`|`` ` ``|a`b|_._".split("|"),
  // What stands between.
  ..."\n|\n\n|\r|\\\n|a  \n| |  |    |\t|a|a |a\n|a-|\\|\\*|!|\"|'|;|.|.,|a.a.|^|$|=|\0|\u00a0|é|😀".split("|"),
  "x".repeat(100),
];

/** Returns a document of a size that repeats a piece. */
export function repeated(piece: string, size: number): string {
  return piece.repeat(Math.ceil(size / piece.length)).slice(0, size);
}
