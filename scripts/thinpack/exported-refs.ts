/**
 * Checks the refs of a repository that is exported, and writes them anew. A host is not trusted: git reads only what
 * this module writes, and never what the host sent.
 *
 * @packageDocumentation
 * @see gitrepository-layout(5), git-pack-refs(1)
 */
import { formatInfoPacks } from "../../src/format/info-packs.ts";
import { formatPackedRefs, type PackedRef, parsePackedRefs } from "../../src/format/packed-refs.ts";
import { formatRepositoryConfig } from "../../src/format/repository-config.ts";
import type { ObjectFormat } from "../../src/object/object-id.ts";
import { checkRefFormat } from "../../src/object/ref-name.ts";
import { formatInfoRef } from "../../src/wire/info-refs.ts";
import { CommandFailure } from "./failure.ts";

/** HEAD's branch, and all refs in the order of their names. A character stands for a byte: names need not be UTF-8. */
export type ExportedRefs = { readonly head: string; readonly refs: readonly PackedRef[] };

function checkedName(name: string, what: string): string {
  if (name.startsWith("refs/") && checkRefFormat(name)) return name;
  throw new CommandFailure(
    `the host's ${what} is not valid: ${JSON.stringify(name.slice(0, 200))} is no name of a ref`,
  );
}

function parseRefs(text: string, { rawSize }: ObjectFormat): PackedRef[] {
  const refs = parsePackedRefs(text);
  for (const { name, oid, peeled } of refs) {
    checkedName(name, "packed-refs");
    if (oid.length !== rawSize || (peeled ?? oid).length !== rawSize) {
      throw new CommandFailure(`the host's packed-refs is not valid: ${name} has no object name of this format`);
    }
  }
  return refs.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Reads the host's `HEAD` and `packed-refs`. @throws CommandFailure if they are not what git takes */
export function parseExportedRefs(head: Buffer, packedRefs: Buffer, format: ObjectFormat): ExportedRefs {
  const [, branch = ""] = /^ref: ([^\n]*)\n$/.exec(head.toString("latin1")) ?? [];
  try {
    return { head: checkedName(branch, "HEAD"), refs: parseRefs(packedRefs.toString("latin1"), format) };
  } catch (cause) {
    if (cause instanceof CommandFailure) throw cause;
    throw new CommandFailure("the host's packed-refs is not valid", undefined, { cause });
  }
}

/** The content of the plain files. */
export type PlainFiles = ExportedRefs & {
  /** `{tenant}/{repo}`. */
  readonly repository: string;
  readonly format: ObjectFormat;
  /** The part of each pack's name between `pack-` and `.pack`. */
  readonly packs: readonly string[];
};

/** Returns the plain files of the bare repository by their names; `HEAD`, by which git knows one, comes last. */
export function formatPlainFiles({ head, refs, repository, format, packs }: PlainFiles): Map<string, Buffer> {
  const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
  const packed = Buffer.concat([...formatPackedRefs(refs)]).toString("utf8");
  const info = refs.map(({ name, oid, peeled }) => formatInfoRef(name, oid, peeled)).join("");
  return new Map([
    ["config", bytes(formatRepositoryConfig(format.name, repository))],
    ["objects/info/packs", bytes(formatInfoPacks(packs))],
    ["packed-refs", bytes(packed)],
    ["info/refs", bytes(info)],
    ["HEAD", bytes(`ref: ${head}\n`)],
  ]);
}
