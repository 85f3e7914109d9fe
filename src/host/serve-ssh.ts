/**
 * Serves a connection by SSH with what the host has.
 *
 * @packageDocumentation
 */
import { Doorkeeper } from "../doors/doorkeeper.ts";
import { authenticateLfs } from "../doors/lfs-authenticate.ts";
import type { SocketClient } from "../doors/socket-client.ts";
import { type LfsAnswer, type LfsRequest, serveSshDoor } from "../doors/ssh-door.ts";
import { deploymentSecret, type Env } from "../env.ts";
import { AccessDenied } from "../http/denied.ts";
import { refusalOf } from "../http/git-failure.ts";
import { logFault } from "../http/log.ts";
import { type HostKey, readHostKeys } from "../ssh/host-key.ts";
import { beginRequest, endRequest, type PlatformOptions } from "./begun-request.ts";
import { sessionRunner } from "./run-session.ts";

const NOT_SET_UP = "SSH is not set up on this host.\r\n";
const NO_SECRET = "Git LFS by SSH needs a secret that this host does not have: use HTTPS.";

const doorkeeper = new Doorkeeper();
/** The host's keys, with the secret that they were read from. */
let known: { readonly secret: string; readonly keys: readonly HostKey[] } | undefined;

async function hostKeysOf({ SSH_HOST_KEYS: secret = "" }: Env): Promise<readonly HostKey[] | undefined> {
  if (secret === "") return undefined;
  if (known?.secret === secret) return known.keys;
  const keys = await readHostKeys(secret);
  known = { secret, keys };
  return keys;
}

/** Serves a connection to its end. */
export async function serveSshSocket(socket: SocketClient, platform: PlatformOptions, env: Env): Promise<void> {
  let hostKeys: readonly HostKey[] | undefined;
  try {
    hostKeys = await hostKeysOf(env);
  } catch (error) {
    logFault("ssh", error);
  }
  if (hostKeys === undefined) {
    await socket.output.write(new TextEncoder().encode(NOT_SET_UP)).catch(() => undefined);
    await socket.close();
    return;
  }
  const end = await serveSshDoor(socket, {
    hostKeys,
    software: platform.agent.replaceAll(/[^\x21-\x7e]|[-/]/g, "_"),
    doorkeeper,
    pacer: () => platform.tools.pacer(),
    run: sessionRunner(platform, env),
    authenticateLfs: async (asked) => await answerLfs(asked, platform, env),
  });
  if (end?.fault !== undefined) logFault("ssh", end.fault);
}

async function answerLfs(asked: LfsRequest, platform: PlatformOptions, env: Env): Promise<LfsAnswer> {
  const { path, operation, credentials, address, agent, signal, denial } = asked;
  const url = new URL("https://connection.invalid/");
  url.pathname = `${path}/git-lfs-authenticate`;
  const begun = beginRequest(platform, env, { credentials, client: address, url: url.href, signal });
  let [answered, status]: [LfsAnswer, number] = [{ refusal: NO_SECRET }, 501];
  const [secret, origin] = [deploymentSecret(env), env.ORIGIN === "" ? undefined : env.ORIGIN];
  try {
    if (secret !== undefined) {
      const { host } = begun;
      answered = { answer: await authenticateLfs({ host, path, operation, credentials, secret, origin }) };
      status = 200;
    }
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) logFault("git-lfs-authenticate", error);
    const isHidden = error instanceof AccessDenied && error.decision !== "forbid";
    answered = { refusal: isHidden ? denial : (refusal?.message ?? "The request failed on our side.") };
    status = refusal?.status ?? 500;
  }
  const request = { method: "SSH", url: url.href, headers: new Headers({ "User-Agent": agent }) };
  await endRequest(platform, env, begun, { request, status });
  return answered;
}
