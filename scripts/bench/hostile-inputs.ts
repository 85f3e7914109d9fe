/**
 * The hostile list: everything that is known to ask for much work with few bytes.
 *
 * @packageDocumentation
 */
import type { HostileBed, HostileInput } from "./hostile-bed.ts";
import { nameInputs } from "./hostile-names.ts";
import { archiveInputs, logInputs, pushInputs } from "./hostile-pushes.ts";
import { diffInputs, pageInputs, pastInputs, searchInputs } from "./hostile-reads.ts";
import { floodInputs } from "./hostile-ssh.ts";
import { commitInputs, listInputs, mergeInputs } from "./hostile-writes.ts";

/** What makes the inputs of each kind. */
const MAKERS = {
  archives: archiveInputs,
  pushes: pushInputs,
  merges: mergeInputs,
  commits: commitInputs,
  lists: listInputs,
  searches: searchInputs,
  pasts: pastInputs,
  pages: pageInputs,
  diffs: diffInputs,
  logs: logInputs,
  names: nameInputs,
  floods: floodInputs,
} satisfies Record<string, (bed: HostileBed) => HostileInput[] | Promise<HostileInput[]>>;

/** A kind of inputs. Those by SSH, which are floods, measure the time that the host takes to close. */
export type HostileKind = keyof typeof MAKERS;

/** Whether there are inputs of a kind. */
export function isHostileKind(name: string): name is HostileKind {
  return Object.hasOwn(MAKERS, name);
}

/** Returns the kinds that there are. */
export function hostileKinds(): HostileKind[] {
  return Object.keys(MAKERS).filter(isHostileKind);
}

/** Prepares a host for the inputs of some kinds, and returns them. */
export async function inputsOf(bed: HostileBed, kinds: readonly HostileKind[]): Promise<HostileInput[]> {
  const inputs: HostileInput[] = [];
  for (const kind of kinds) inputs.push(...(await MAKERS[kind](bed)));
  return inputs;
}
