/**
 * Connects to a mirror's upstream, with its owner's credentials.
 *
 * @packageDocumentation
 */
import { DumbClient } from "./dumb/dumb-client.ts";
import { FetchClient, PROTOCOL } from "./fetch-client.ts";
import { secretsIn } from "./redaction.ts";
import type { SyncBegun, SyncInput, UpstreamClient } from "./sync-input.ts";
import { UpstreamConnection } from "./upstream-connection.ts";
import { UpstreamFailure } from "./upstream.ts";

/**
 * Connects to the upstream.
 *
 * @throws UpstreamFailure, ProtocolError if that fails, or if the upstream has another hash function.
 */
export async function connectUpstream(sync: SyncBegun): Promise<UpstreamClient> {
  const { input, begun } = sync;
  const { settings, snapshot } = begun;
  const connection = new UpstreamConnection({
    ...input.connection,
    upstream: settings.upstream,
    authorization: await openLogin(sync),
  });
  const client = await clientOf(connection, input);
  const { objectFormat } = snapshot.record;
  if (client.format.name === objectFormat) return client;
  throw new UpstreamFailure(`The upstream names objects by ${client.format.name}, this repository by ${objectFormat}.`);
}

/** Asks an upstream for its refs or capabilities, and finds out what it speaks. */
async function clientOf(
  connection: UpstreamConnection,
  { agent, repository: { limits, pacer } }: SyncInput,
): Promise<UpstreamClient> {
  const mostRefs = limits.refs;
  const { answer, plain } = await connection.discover(PROTOCOL);
  try {
    if (plain === undefined) return await FetchClient.connect(connection, answer, { agent, mostRefs, pacer });
    return await DumbClient.connect(connection, { answer, plain }, { mostRefs, pacer });
  } finally {
    await answer.cancel();
  }
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
