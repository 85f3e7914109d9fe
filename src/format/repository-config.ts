/**
 * The file `config` of a bare repository.
 *
 * @packageDocumentation
 * @see git-config(1), gitrepository-layout(5)
 */
import type { ObjectFormatName } from "../object/object-id.ts";

/**
 * Gives the file. Another hash function than SHA-1 is an extension, which needs version 1 of the layout. `name`, `{tenant}/{repo}`, is
 * of no use to git: it says whose bytes these are when nothing is left but the bucket.
 */
export function formatRepositoryConfig(format: ObjectFormatName, name: string): string {
  const extended = format !== "sha1";
  const core = ["[core]", `\trepositoryformatversion = ${extended ? 1 : 0}`, "\tfilemode = true", "\tbare = true"];
  const extensions = extended ? ["[extensions]", `\tobjectformat = ${format}`] : [];
  const origin = ["[thinpack]", `\trepository = "${name}"`];
  return `${[...core, ...extensions, ...origin].join("\n")}\n`;
}
