/**
 * Tables: the line under the head, and rows.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#tables-extension-
 */
import type { Align } from "./block.ts";

const DELIMITER = /^:?-+:?$/;

/** Cuts a row into its cells. Neither a backslash nor code keeps anything but a backslash before it from ending a cell. */
export function splitRow(row: string): string[] {
  const cells: string[] = [];
  const text = row.trim();
  let start = text.startsWith("|") ? 1 : 0;
  for (let at = start; at < text.length; at++) {
    const c = text.charAt(at);
    if (c === "\\") at++;
    else if (c === "|") {
      cells.push(cellOf(text.slice(start, at)));
      start = at + 1;
    }
  }
  if (start < text.length) cells.push(cellOf(text.slice(start)));
  return cells;
}

function cellOf(text: string): string {
  return text.trim().replaceAll("\\|", "|");
}

/** Returns the columns that the line under the head of a table gives it; `undefined` for any other line. */
export function tableColumns(line: string): Align[] | undefined {
  // Most lines end this in their first character.
  if (!/^[|:-]/.test(line) || !/[|:]/.test(line)) return undefined;
  const columns: Align[] = [];
  for (const cell of splitRow(line)) {
    if (!DELIMITER.test(cell)) return undefined;
    const [isLeft, isRight] = [cell.startsWith(":"), cell.endsWith(":")];
    columns.push(isLeft ? (isRight ? "center" : "left") : isRight ? "right" : undefined);
  }
  return columns.length === 0 ? undefined : columns;
}
