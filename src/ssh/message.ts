/**
 * The numbers of messages and reasons, and how a message is put together.
 *
 * @packageDocumentation
 * @see RFC 4250 section 4, RFC 4253, RFC 4254, RFC 8308
 */
import { concat } from "../bytes/chunk.ts";
import { encodeSshString } from "../signing/ssh-reader.ts";

/** The numbers of messages. */
export const MESSAGE = {
  disconnect: 1,
  ignore: 2,
  unimplemented: 3,
  debug: 4,
  serviceRequest: 5,
  serviceAccept: 6,
  extInfo: 7,
  kexInit: 20,
  newKeys: 21,
  kexEcdhInit: 30,
  kexEcdhReply: 31,
  userauthRequest: 50,
  userauthFailure: 51,
  userauthSuccess: 52,
  userauthPkOk: 60,
  globalRequest: 80,
  requestSuccess: 81,
  requestFailure: 82,
  channelOpen: 90,
  channelOpenConfirmation: 91,
  channelOpenFailure: 92,
  channelWindowAdjust: 93,
  channelData: 94,
  channelExtendedData: 95,
  channelEof: 96,
  channelClose: 97,
  channelRequest: 98,
  channelSuccess: 99,
  channelFailure: 100,
} as const;

/** Why a connection ends. RFC 4253, section 11.1. */
export const REASON = {
  protocolError: 2,
  keyExchangeFailed: 3,
  macError: 5,
  serviceNotAvailable: 7,
  versionNotSupported: 8,
  byApplication: 11,
  tooManyConnections: 12,
  noMoreAuthMethods: 14,
} as const;

/** Why a channel is not opened. RFC 4254, section 5.1. */
export const OPEN_FAILURE = {
  prohibited: 1,
  connectFailed: 2,
  unknownType: 3,
  shortage: 4,
} as const;

/** The error that ends a connection: the client is told the reason. */
export class Disconnect extends Error {
  override readonly name = "Disconnect";
  readonly reason: number;
  constructor(reason: keyof typeof REASON, why: string, options?: ErrorOptions) {
    super(why, options);
    this.reason = REASON[reason];
  }
}

/** The error of a client that has gone, or has said that it goes. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/** A field of a message: text or bytes with their length, a number of 32 bits, a boolean, or bytes as they are. */
export type Field = string | Uint8Array | number | boolean | { readonly raw: Uint8Array };

function encodeField(field: Field): Uint8Array {
  if (typeof field === "boolean") return Uint8Array.of(field ? 1 : 0);
  if (typeof field === "number") {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, field);
    return bytes;
  }
  if (typeof field === "object" && "raw" in field) return field.raw;
  return encodeSshString(field);
}

/** Puts a message together. */
export function message(type: number, ...fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  return concat([Uint8Array.of(type), ...fields.map(encodeField)]);
}
