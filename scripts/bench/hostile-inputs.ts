/**
 * The hostile list: everything that is known to ask for much work with few bytes.
 *
 * @packageDocumentation
 */
import type { HostileBed, HostileInput } from "./hostile-bed.ts";
import { nameInputs } from "./hostile-names.ts";
import { archiveInputs, logInputs, pushInputs } from "./hostile-pushes.ts";
import { pageInputs, pastInputs, searchInputs } from "./hostile-reads.ts";
import { floodInputs } from "./hostile-ssh.ts";
import { commitInputs, listInputs, mergeInputs } from "./hostile-writes.ts";

/** Prepares a host for all inputs, and returns them. Those by SSH measure the time that the host takes to close. */
export async function everyInput(bed: HostileBed): Promise<HostileInput[]> {
  return [...(await untimedInputs(bed)), ...floodInputs(bed)];
}

/** Prepares a host for all inputs of which no time is measured, and returns them. */
export async function untimedInputs(bed: HostileBed): Promise<HostileInput[]> {
  return [
    ...(await archiveInputs(bed)),
    ...pushInputs(bed),
    ...(await mergeInputs(bed)),
    ...(await commitInputs(bed)),
    ...(await listInputs(bed)),
    ...(await searchInputs(bed)),
    ...(await pastInputs(bed)),
    ...(await pageInputs(bed)),
    ...(await logInputs(bed)),
    ...(await nameInputs(bed)),
  ];
}
