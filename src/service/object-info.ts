/**
 * Version 2's `object-info`: the sizes of objects, without the objects.
 *
 * C git answers for every object in its store. Here a name alone is no right to know. An object that no ref reaches
 * counts as missing, so nobody learns whether a deleted object was ever there.
 *
 * Capabilities: `size`. Arguments: `size`, `oid`.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git's protocol-caps.c
 */
import { objectFormat } from "../object/object-id.ts";
import { shownSizes } from "../repository/shown-sizes.ts";
import type { ObjectIdList } from "../wire/object-id-list.ts";
import type { PktBuffer } from "../wire/pkt-buffer.ts";
import { ObjectInfoRequestParser, formatObjectInfo, formatObjectInfoHeader } from "../wire/object-info.ts";
import type { CommandCall } from "./v2-command.ts";

/** Answers an `object-info`. */
export async function tellObjectInfo(call: CommandCall): Promise<void> {
  const { exchange, admission, answer, context } = call;
  const parser = new ObjectInfoRequestParser(objectFormat(context.objectFormat), exchange.repository.limits.wants);
  await call.readArguments(parser);
  const { oids, size } = parser.result;
  const wants = oids.bytes().slice();
  const snapshot = await admission.openAs(context.objectFormat, oids.length === 0 ? {} : { packs: true, wants });
  if (oids.length > 0) {
    const sizes = await shownSizes(exchange.repository, snapshot, wants);
    if (size) formatObjectInfoHeader(answer.lines);
    await answer.sendEach(formatSizes(sizes, { oids, size }, answer.lines));
  }
  answer.lines.flush();
  await answer.send();
}

function* formatSizes(
  sizes: Float64Array,
  { oids, size }: { readonly oids: ObjectIdList; readonly size: boolean },
  lines: PktBuffer,
): Generator<void> {
  for (const [index, bytes] of sizes.entries()) {
    formatObjectInfo({ oid: oids.at(index), size: bytes < 0 ? "missing" : size ? bytes : undefined }, lines);
    yield;
  }
}
