/**
 * The file `config` of a bare repository.
 *
 * @packageDocumentation
 * @see git-config(1), gitrepository-layout(5)
 */
import type { ObjectFormatName } from "../object/object-id.ts";

/**
 * Formats the file. An object format other than SHA-1 is an extension, which needs version 1 of the layout. Git does
 * not use `name` (`{tenant}/{repo}`): it tells an operator whose bytes these are if nothing but the bucket is left.
 */
export function formatRepositoryConfig(format: ObjectFormatName, name: string): string {
  const extended = format !== "sha1";
  const core = ["[core]", `\trepositoryformatversion = ${extended ? 1 : 0}`, "\tfilemode = true", "\tbare = true"];
  const extensions = extended ? ["[extensions]", `\tobjectformat = ${format}`] : [];
  const origin = ["[thinpack]", `\trepository = "${name}"`];
  return `${[...core, ...extensions, ...origin].join("\n")}\n`;
}
