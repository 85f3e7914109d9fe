/**
 * Explains what can be done about an object that git's checks refuse.
 *
 * @packageDocumentation
 */
import { FsckRejected } from "../../bytes/failure.ts";
import { canBeIgnored } from "../../refs/fsck-settings.ts";

/**
 * Returns lines for the user's terminal, in the manner of git's own hints. The text is "" if the fault is not a
 * `FsckRejected`.
 */
export function fsckHint(fault: unknown): string {
  if (!(fault instanceof FsckRejected)) return "";
  const { oid, id } = fault;
  const [why, option, member] = canBeIgnored(id)
    ? ["This repository is strict. Its administrators can let this kind of slip pass", `--fsck-ignore ${id}`, "ignore"]
    : ["What can harm others is refused. Administrators can let one object pass", `--fsck-skip ${oid}`, "skip"];
  const value = option.slice(option.indexOf(" ") + 1);
  return [
    `hint: ${why}:`,
    `hint:   thinpack repo set <tenant>/<name> ${option}`,
    `hint: or, in the API, PATCH /api/v1/repos/<tenant>/<name> with`,
    `hint:   {"fsck":{"${member}":["${value}"]}}`,
    "",
  ].join("\n");
}
