/**
 * The footnotes that a document refers to, in the order in which it does. Each is written once, behind the text, with a
 * link back to each place that refers to it. What nothing refers to is not shown, as at GitHub.
 *
 * @packageDocumentation
 * @see https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#footnotes
 */
import { itemAt } from "../../bytes/assert.ts";
import { ANCHOR } from "../html-filter.ts";
import type { Block } from "./block.ts";

/** A footnote with its number, and how many links lead to it. */
type Footnote = { readonly block: Block; readonly number: number; links: number };

/** The anchors have a full stop in them, so that none is that of a heading. */
const noteAnchor = (number: number): string => `fn.${number}`;
const linkAnchor = (number: number, link: number): string => `fnref.${number}.${link}`;

/** Numbers the footnotes of one document. */
export class Footnotes {
  readonly #byBlock = new Map<Block, Footnote>();
  readonly #inOrder: Footnote[] = [];

  /** The number of footnotes that were referred to so far. */
  get count(): number {
    return this.#inOrder.length;
  }

  /** Returns the block of the footnote with a number, from 1. */
  blockOf(number: number): Block {
    return itemAt(this.#inOrder, number - 1).block;
  }

  /** Returns the sign that refers to a footnote. Within a link it leads nowhere: a link has no other one in it. */
  signHtml(block: Block, isInLink: boolean): string {
    let note = this.#byBlock.get(block);
    if (note === undefined) {
      note = { block, number: this.#inOrder.length + 1, links: 0 };
      this.#byBlock.set(block, note);
      this.#inOrder.push(note);
    }
    const { number } = note;
    if (isInLink) return `<sup>${number}</sup>`;
    note.links++;
    return `<sup><a href="#${noteAnchor(number)}" id="${ANCHOR}${linkAnchor(number, note.links)}">${number}</a></sup>`;
  }

  /** Returns how the footnote with a number begins. */
  startHtml(number: number): string {
    return `<li id="${ANCHOR}${noteAnchor(number)}">\n`;
  }

  /** Returns the links back to all places that refer to a footnote, once all are known. */
  backHtml(number: number): string {
    let html = "";
    for (let link = 1; link <= itemAt(this.#inOrder, number - 1).links; link++) {
      const which = link === 1 ? "" : `<sup>${link}</sup>`;
      html += ` <a href="#${linkAnchor(number, link)}" title="Back to the text">↩${which}</a>`;
    }
    return html;
  }
}
