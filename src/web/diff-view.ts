/**
 * Changed files with their lines, as HTML: one column as patches have them, or both sides beside each other. It is
 * written file by file as the files are compared.
 *
 * @packageDocumentation
 */
import type { DiffedFile } from "../browse/file-diff.ts";
import { type DiffLine, hunkHead, hunkLines } from "../diff/hunk-lines.ts";
import { diffHunks, lineChanges, type LineDiff } from "../diff/line-diff.ts";
import type { RepositoryName } from "../access/names.ts";
import { generatedReason } from "./generated-file.ts";
import { escapeHtml } from "./html-filter.ts";
import { pathLink } from "./links.ts";
import { decoded, shownBytes, shownSize } from "./texts.ts";

/** The most lines of a file, and of a page, that are shown at once. A browser takes long for more. */
const MOST_FILE_LINES = 4000;
const MOST_PAGE_LINES = 40_000;
/** The most changed lines of a file that is not folded. */
const MOST_OPEN_LINES = 1000;
/** The most characters of a line that are shown. */
const LONGEST_LINE = 4000;
/** The bytes of lines that are gathered before they are written. */
const MOST_GATHERED = 32_768;
const IMAGE = /\.(?:png|jpe?g|gif|webp|avif|svg|ico)$/i;

/** How differences are shown. Revisions, one character per byte, are those whose files are linked. */
export type DiffView = {
  readonly name: RepositoryName;
  readonly before: string | undefined;
  readonly after: string;
  readonly isSplit: boolean;
};

/** The words for what became of a file. */
export const STATUS_WORDS = { A: "added", D: "deleted", M: "modified", T: "type changed", R: "renamed" } as const;

function lineText({ text, hasFeed }: DiffLine): string {
  const shown = decoded(text.length > LONGEST_LINE ? text.subarray(0, LONGEST_LINE) : text);
  const more = text.length > LONGEST_LINE ? ' <span class="note">(the line goes on)</span>' : "";
  return `${escapeHtml(shown)}${more}${hasFeed ? "" : '<span class="note"> (no line feed at the end)</span>'}`;
}

const CLASSES = { " ": "same", "-": "deleted", "+": "added" } as const;

function numberCell(number: number): string {
  return `<td class="n">${number === 0 ? "" : number}</td>`;
}

function unifiedRow(line: DiffLine): string {
  const { sign, before, after } = line;
  const code = `<td class="l"><span class="sign">${sign}</span>${lineText(line)}</td>`;
  return `<tr class="${CLASSES[sign]}">${numberCell(before)}${numberCell(after)}${code}</tr>`;
}

function half(line: DiffLine | undefined, side: "before" | "after"): string {
  if (line === undefined) return '<td class="n"></td><td class="l none"></td>';
  return `${numberCell(line[side])}<td class="l ${CLASSES[line.sign]}">${lineText(line)}</td>`;
}

function splitRow(left: DiffLine | undefined, right: DiffLine | undefined): string {
  return `<tr>${half(left, "before")}${half(right, "after")}</tr>`;
}

/** Writes lines as rows. In two columns, deleted lines stand beside the added ones that follow them. */
class Rows {
  readonly #isSplit: boolean;
  #html = "";
  #bytes = 0;
  #deleted: DiffLine[] = [];
  #added: DiffLine[] = [];

  constructor(isSplit: boolean) {
    this.#isSplit = isSplit;
  }

  /** The bytes of the lines that were added and not taken. */
  get bytes(): number {
    return this.#bytes;
  }

  add(line: DiffLine): void {
    this.#bytes += Math.min(line.text.length, LONGEST_LINE);
    if (!this.#isSplit) this.#html += unifiedRow(line);
    else if (line.sign === "-") {
      if (this.#added.length > 0) this.#flush();
      this.#deleted.push(line);
    } else if (line.sign === "+") this.#added.push(line);
    else {
      this.#flush();
      this.#html += splitRow(line, line);
    }
  }

  /** Returns what was written, and begins anew. */
  take(): string {
    this.#flush();
    const html = this.#html;
    this.#html = "";
    this.#bytes = 0;
    return html;
  }

  #flush(): void {
    const rows = Math.max(this.#deleted.length, this.#added.length);
    for (let row = 0; row < rows; row++) this.#html += splitRow(this.#deleted[row], this.#added[row]);
    this.#deleted = [];
    this.#added = [];
  }
}

/** Returns why a file is folded when the page opens; `undefined` if it is not. */
function foldedReason(path: string, content: DiffedFile["content"]): string | undefined {
  const reason = generatedReason(path);
  if (reason !== undefined || content.kind !== "lines") return reason;
  let changed = 0;
  for (const { before, after } of lineChanges(content.lines)) {
    changed += before.end - before.start + (after.end - after.start);
    if (changed > MOST_OPEN_LINES) return `more than ${MOST_OPEN_LINES} changed lines`;
  }
  return undefined;
}

function hunkRow(head: string, isSplit: boolean): string {
  return `<tr class="hunk"><td colspan="${isSplit ? 4 : 3}">${escapeHtml(head)}</td></tr>`;
}

/** Writes the differences of files, and counts what it wrote. */
export class DiffWriter {
  readonly #view: DiffView;
  #lines = 0;
  #files = 0;

  constructor(view: DiffView) {
    this.#view = view;
  }

  /** Whether as much is shown as a page has room for. */
  get isFull(): boolean {
    return this.#lines >= MOST_PAGE_LINES;
  }

  /** Yields the HTML of a file in pieces. */
  *file({ change, content, sizes }: DiffedFile): Generator<string, undefined> {
    const { status, path } = change;
    this.#files++;
    const isMoved = change.status === "R";
    const from = isMoved ? `<bdi>${escapeHtml(shownBytes(change.from))}</bdi> &rarr; ` : "";
    const how = isMoved ? `${change.similarity} % the same` : STATUS_WORDS[status];
    const folded = foldedReason(path, content);
    const why = folded === undefined ? "" : `, folded: ${folded}`;
    yield `<details class="diff" id="file-${this.#files}"${folded === undefined ? " open" : ""}><summary><span class="path">${from}<bdi>${escapeHtml(shownBytes(path))}</bdi></span> <span class="note">${how}${why}</span></summary>`;
    yield this.#links(change);
    if (content.kind === "lines") yield* this.#table(content.lines);
    else if (content.kind === "binary") yield this.#binary(change, sizes);
    else
      yield `<p class="note">${content.kind === "same" ? "The content is the same." : "This is too large to be compared here."}</p>`;
    yield "</details>\n";
  }

  #links({ path, before, after, ...change }: DiffedFile["change"]): string {
    const { name, before: old, after: revision } = this.#view;
    const modes =
      before !== undefined && after !== undefined && before.mode !== after.mode
        ? `Mode ${before.mode.toString(8)} &rarr; ${after.mode.toString(8)}. `
        : "";
    const oldPath = "from" in change ? change.from : path;
    const links = [
      ...(before !== undefined && old !== undefined ? [[pathLink(name, "blob", old, oldPath), "Before"]] : []),
      ...(after === undefined ? [] : [[pathLink(name, "blob", revision, path), "After"]]),
    ].map(([href, text]) => `<a href="${escapeHtml(href ?? "")}">${text}</a>`); // Each pair has both.
    return `<p class="note">${modes}${links.join(" ")}</p>`;
  }

  /** The lines of a file. Beyond the bounds of a file or of the page, the rest is left out, and the page says so. */
  *#table(lines: LineDiff): Generator<string, undefined> {
    const { isSplit } = this.#view;
    const rows = new Rows(isSplit);
    let shown = 0;
    yield `<div class="lines" role="region" aria-label="Lines" tabindex="0"><table class="${isSplit ? "split" : "unified"}"><tbody>`;
    for (const hunk of diffHunks(lines)) {
      const heading = hunk.heading.length === 0 ? "" : ` ${decoded(hunk.heading)}`;
      yield hunkRow(`${hunkHead(hunk)}${heading}`, isSplit);
      for (const line of hunkLines(lines, hunk)) {
        rows.add(line);
        shown++;
        if (rows.bytes > MOST_GATHERED) yield rows.take();
        if (shown >= MOST_FILE_LINES) break;
      }
      yield rows.take();
      if (shown >= MOST_FILE_LINES) break;
    }
    this.#lines += shown;
    yield "</tbody></table></div>";
    if (shown >= MOST_FILE_LINES) yield '<p class="note">The rest of this file is left out.</p>';
  }

  #binary({ path, before, after }: DiffedFile["change"], sizes: DiffedFile["sizes"]): string {
    const { name, before: old, after: revision } = this.#view;
    const sizesText = `${shownSize(sizes.before)} &rarr; ${shownSize(sizes.after)}`;
    if (!IMAGE.test(path)) return `<p class="note">This file is not text: ${sizesText}.</p>`;
    const image = (commit: string, what: string): string =>
      `<figure><img src="${escapeHtml(pathLink(name, "raw", commit, path))}" alt="${what}"><figcaption>${what}</figcaption></figure>`;
    const left = before === undefined || old === undefined ? "" : image(old, "Before");
    const right = after === undefined ? "" : image(revision, "After");
    return `<div class="images">${left}${right}</div><p class="note">${sizesText}</p>`;
  }
}
