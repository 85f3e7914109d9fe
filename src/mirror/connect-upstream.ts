/**
 * Connects to a mirror's upstream, with its owner's credentials.
 *
 * @packageDocumentation
 */
import { FetchClient } from "./fetch-client.ts";
import { secretsIn } from "./redaction.ts";
import type { SyncBegun } from "./sync-input.ts";
import { UpstreamConnection } from "./upstream-connection.ts";
import { UpstreamFailure } from "./upstream.ts";

/**
 * Connects to the upstream.
 *
 * @throws UpstreamFailure, ProtocolError if that fails, or if the upstream has another hash function.
 */
export async function connectUpstream(sync: SyncBegun): Promise<FetchClient> {
  const { input, begun } = sync;
  const { settings, snapshot } = begun;
  const connection = new UpstreamConnection({
    ...input.connection,
    upstream: settings.upstream,
    authorization: await openLogin(sync),
  });
  const client = await FetchClient.connect(connection, input.agent, input.repository.limits.refs);
  const { objectFormat } = snapshot.record;
  if (client.format.name === objectFormat) return client;
  throw new UpstreamFailure(`The upstream names objects by ${client.format.name}, this repository by ${objectFormat}.`);
}

/**
 * Opens the upstream's credentials, if there are any. Records the secrets that must not be repeated, and the resealed
 * credentials to store.
 */
async function openLogin(sync: SyncBegun): Promise<string | undefined> {
  const { settings, login, snapshot } = sync.begun;
  if (login === undefined) return undefined;
  const origin = new URL(settings.upstream).origin;
  const opened = await sync.input.openLogin(login, { use: "upstream", id: snapshot.record.id, origin });
  if (opened.resealed !== undefined) sync.resealed.login = opened.resealed;
  sync.secrets = secretsIn(opened.authorization);
  return opened.authorization;
}
