/**
 * Answers `git-lfs-authenticate`: where a repository's Git LFS objects are moved over HTTP, and the ticket for that.
 *
 * @packageDocumentation
 * @see git-lfs's docs/api/server-discovery.md
 */
import { shownName } from "../access/names.ts";
import { refuseMirror } from "../http/admission.ts";
import type { KeyCredentials } from "../http/authenticate.ts";
import { authorize } from "../http/denied.ts";
import type { Host } from "../http/host.ts";
import { formatLfsTicket, LFS_TICKET_SECONDS } from "../http/lfs-ticket.ts";
import { addressed } from "./session.ts";

/** What is asked for, and what it is answered from. */
export type LfsAuthentication = {
  readonly host: Host;
  readonly path: string;
  readonly operation: "download" | "upload";
  readonly credentials: KeyCredentials;
  /** The deployment's secret, which signs the ticket. */
  readonly secret: string;
  /** The origin of the host; without it the client takes the name by which it came. */
  readonly origin: string | undefined;
};

/**
 * Returns the answer, as JSON. Whoever may read what anybody may gets no ticket: one would stand for a key that is not known.
 *
 * @throws AccessDenied, GitRefusal, RepositoryMoved
 */
export async function authenticateLfs(asked: LfsAuthentication): Promise<string> {
  const { host, path, operation, credentials, secret, origin } = asked;
  const { name } = addressed(path);
  const writes = operation === "upload";
  const repository = host.repository(name);
  const found = await repository.refs.open({});
  const record = found.kind === "found" ? found.record : undefined;
  if (writes) await refuseMirror({ host, name }, record);
  await authorize(host, writes ? "write" : "read", name, record);
  const { fingerprint } = credentials;
  const { principal } = await host.identify(name);
  const ticket = formatLfsTicket({ name, fingerprint, writes }, secret, repository.now());
  return JSON.stringify({
    ...(origin === undefined ? {} : { href: `${origin}/${shownName(name)}.git/info/lfs` }),
    header: principal.kind === "anonymous" ? {} : { Authorization: ticket },
    expires_in: LFS_TICKET_SECONDS,
  });
}
