/**
 * Version 2's `ls-refs`.
 *
 * Capabilities: `unborn`. Arguments: `peel`, `symrefs`, `unborn`, `ref-prefix`.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git's ls-refs.c
 */
import { fromHex } from "../bytes/hex.ts";
import { objectFormat } from "../object/object-id.ts";
import { placeRefRows } from "../refs/ref-rows.ts";
import { type LsRefsRequest, LsRefsRequestParser, formatListedRef } from "../wire/ls-refs.ts";
import type { PktBuffer } from "../wire/pkt-buffer.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import type { ResponseWriter } from "./response-writer.ts";
import type { CommandCall } from "./v2-command.ts";

/** Lists refs: HEAD first, then by name. */
export async function listRefs(call: CommandCall): Promise<void> {
  const parser = new LsRefsRequestParser();
  await call.readArguments(parser);
  const request = parser.result;
  const { admission, answer } = call;
  const snapshot = await admission.openAs(call.context.objectFormat, { refPrefixes: request.prefixes });
  listHead(snapshot, request, answer);
  const { rawSize } = objectFormat(call.context.objectFormat);
  await answer.sendEach(formatRows(snapshot, rawSize, request.peel, answer.lines));
  answer.lines.flush();
  await answer.send();
}

/** Formats rows as {@link formatListedRef} does, without a text for each name: there may be very many. */
function* formatRows(snapshot: OpenSnapshot, rawSize: number, peel: boolean, lines: PktBuffer): Generator<void> {
  for (const { chunk, nameAt, oidAt, peeledAt } of placeRefRows(snapshot.refs, rawSize)) {
    lines
      .begin()
      .hex(chunk, oidAt, oidAt + rawSize)
      .text(" ")
      .bytesAt(chunk, nameAt, oidAt);
    if (peel && peeledAt !== undefined) lines.text(" peeled:").hex(chunk, peeledAt, peeledAt + rawSize);
    lines.text("\n").end();
    yield;
  }
}

/** Lists HEAD, the only symbolic ref. HEAD names a branch, so it is never peeled. */
function listHead({ record, headOid }: OpenSnapshot, request: LsRefsRequest, answer: ResponseWriter): void {
  const { prefixes, symrefs, unborn } = request;
  if (prefixes.length > 0 && !prefixes.some((prefix) => "HEAD".startsWith(prefix))) return;
  // An unborn HEAD has only its target to tell, so it is listed with `symrefs` only.
  if (headOid === undefined && !(unborn && symrefs)) return;
  formatListedRef(
    {
      name: "HEAD",
      oid: headOid === undefined ? undefined : fromHex(headOid),
      symrefTarget: symrefs ? record.head : undefined,
    },
    answer.lines,
  );
}
