/**
 * The file `config` of a bare repository.
 *
 * @packageDocumentation
 * @see git-config(1), gitrepository-layout(5)
 */
import type { ObjectFormatName } from "../object/object-id.ts";

/** Gives the file. Another hash function than SHA-1 is an extension, which needs version 1 of the layout. */
export function formatRepositoryConfig(format: ObjectFormatName): string {
  const extended = format !== "sha1";
  const core = ["[core]", `\trepositoryformatversion = ${extended ? 1 : 0}`, "\tfilemode = true", "\tbare = true"];
  const extensions = extended ? ["[extensions]", `\tobjectformat = ${format}`] : [];
  return `${[...core, ...extensions].join("\n")}\n`;
}
