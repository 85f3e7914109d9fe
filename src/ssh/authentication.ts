/**
 * Logs a client in by a key of its own. Every key is good whose signature is: whether it may do something, and what,
 * is decided when the client asks for a repository, and nothing is told before.
 *
 * @packageDocumentation
 * @see RFC 4252, RFC 8332
 */
import { u8At } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { parseSshKey, type SshKey, sshFingerprint } from "../signing/ssh-key.ts";
import { encodeSshString, MalformedSsh, SshReader } from "../signing/ssh-reader.ts";
import { parseSshSignatureValue, verifySshSignatureValue } from "../signing/ssh-signature.ts";
import { Disconnect, MESSAGE, message } from "./message.ts";
import { MOST_LOGIN_REQUESTS, MOST_WRONG_SIGNATURES } from "./ssh-limits.ts";
import type { Transport } from "./transport.ts";

const USERAUTH = "ssh-userauth";
const CONNECTION = "ssh-connection";

/** The key with which a client has logged in. */
export type LoginKey = {
  /** `SHA256:` and base64, as `ssh-keygen -l` shows it. */
  readonly fingerprint: string;
};

/** A client's request to log in by a key. */
type KeyRequest = {
  readonly user: string;
  readonly algorithm: string;
  readonly blob: Uint8Array<ArrayBuffer>;
  /** Absent if the client only asks whether the key would do. */
  readonly signature?: Uint8Array;
};

/** Parses a request. Returns `undefined` for every method but keys. @throws MalformedSsh, Disconnect */
function parseRequest(payload: Uint8Array): KeyRequest | undefined {
  const reader = new SshReader(payload.subarray(1));
  const [user, service, method] = [reader.text(), reader.text(), reader.text()];
  if (service !== CONNECTION) throw new Disconnect("serviceNotAvailable", "no such service");
  if (method !== "publickey") return undefined;
  const hasSignature = reader.take(1)[0] !== 0;
  const [algorithm, blob] = [reader.text(), reader.string().slice()];
  const signature = hasSignature ? reader.string() : undefined;
  reader.end();
  return { user, algorithm, blob, ...(signature === undefined ? {} : { signature }) };
}

/** Returns the key, if it is of a kind that is known and the algorithm is one of its own. */
function keyOf({ algorithm, blob }: KeyRequest): SshKey | undefined {
  try {
    const key = parseSshKey(blob);
    const type = new SshReader(blob).text();
    const own = type === "ssh-rsa" ? ["rsa-sha2-256", "rsa-sha2-512"] : [type];
    return own.includes(algorithm) ? key : undefined;
  } catch (error) {
    if (error instanceof MalformedSsh) return undefined;
    throw error;
  }
}

/** Whether the signature is by this key, over this request in this connection. */
async function isSigned(key: SshKey, request: KeyRequest, sessionId: Uint8Array): Promise<boolean> {
  const { user, algorithm, blob, signature } = request;
  if (signature === undefined) return false;
  const fields = [USERAUTH_REQUEST, ...[user, CONNECTION, "publickey"].map((text) => encodeSshString(text)), TRUE];
  const signed = concat([encodeSshString(sessionId), ...fields, encodeSshString(algorithm), encodeSshString(blob)]);
  try {
    const value = parseSshSignatureValue(signature);
    return value.type === algorithm && (await verifySshSignatureValue(key, value, signed));
  } catch (error) {
    // The platform has a key that it can't use, such as a point that is on no curve.
    if (error instanceof MalformedSsh || error instanceof DOMException) return false;
    throw error;
  }
}

const USERAUTH_REQUEST = Uint8Array.of(MESSAGE.userauthRequest);
const TRUE = Uint8Array.of(1);
const FAILURE = message(MESSAGE.userauthFailure, "publickey", false);

/** Answers requests until one is signed. */
async function untilSigned(transport: Transport): Promise<LoginKey> {
  let wrong = 0;
  for (let requests = 0; requests < MOST_LOGIN_REQUESTS && wrong < MOST_WRONG_SIGNATURES; requests++) {
    const packet = await transport.receive();
    if (u8At(packet.payload, 0) !== MESSAGE.userauthRequest) {
      throw new Disconnect("protocolError", "a message that has to wait for the login");
    }
    const request = parseRequest(packet.payload);
    const key = request === undefined ? undefined : keyOf(request);
    if (request === undefined || key === undefined) {
      transport.post(FAILURE);
    } else if (request.signature === undefined) {
      transport.post(message(MESSAGE.userauthPkOk, request.algorithm, request.blob));
    } else if (await isSigned(key, request, transport.sessionId)) {
      transport.post(message(MESSAGE.userauthSuccess));
      return { fingerprint: await sshFingerprint(request.blob) };
    } else {
      wrong++;
      transport.post(FAILURE);
    }
  }
  throw new Disconnect("noMoreAuthMethods", "too many attempts to log in");
}

/** Logs a client in. @throws Disconnect, ClientGone, MalformedSsh */
export async function logIn(transport: Transport): Promise<LoginKey> {
  const packet = await transport.receive();
  const type = u8At(packet.payload, 0);
  // A client may tell its extensions first. RFC 8308, section 2.4.
  const { payload } = type === MESSAGE.extInfo ? await transport.receive() : packet;
  if (u8At(payload, 0) !== MESSAGE.serviceRequest) {
    throw new Disconnect("protocolError", "a message that has to wait for the login");
  }
  const reader = new SshReader(payload.subarray(1));
  if (reader.text() !== USERAUTH) throw new Disconnect("serviceNotAvailable", "no such service");
  transport.post(message(MESSAGE.serviceAccept, USERAUTH));
  return await untilSigned(transport);
}
