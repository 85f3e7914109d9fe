/**
 * Refusals that come before anything is done for a caller of git or of Git LFS.
 *
 * @packageDocumentation
 */
import type { RepositoryName } from "../access/names.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import { authorize, describeMirror } from "./denied.ts";
import { GitRefusal } from "./git-failure.ts";
import type { Host } from "./host.ts";

/** A requester, and the repository that it asks for. */
export type Caller = { readonly host: Host; readonly name: RepositoryName };

/**
 * Refuses a requester whose credentials can't be enough, without opening anything. `writes`: whether the request is one
 * that only those who may push may make.
 *
 * @throws AccessDenied
 */
export async function refuseStrangers({ host, name }: Caller, writes: boolean): Promise<void> {
  const { known } = host;
  if (known === undefined || known.kind === "operator") return;
  if (writes || known.kind === "invalid") await authorize(host, "write", name, undefined);
}

/**
 * Tells a client that pushes to a mirror, and may read it, that it is one.
 *
 * @throws AccessDenied, GitRefusal
 */
export async function refuseMirror({ host, name }: Caller, record: RepositoryRecord | undefined): Promise<void> {
  if (record?.mirror === undefined) return;
  await authorize(host, "read", name, record);
  throw new GitRefusal(403, await describeMirror(host, name, record.mirror));
}
