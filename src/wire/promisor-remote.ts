/**
 * `promisor-remote`: the capability by which a server names a repository that has the objects which it may leave out.
 *
 * ```text
 * offer    := fields *( ";" fields )
 * fields   := "name=" value ",url=" value [ ",partialCloneFilter=" value ] [ ",token=" value ]
 * accepted := name *( ";" name )
 * ```
 *
 * Values and names are percent-encoded.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git-config(1) `promisor.acceptFromServer`
 */

/** The name under which this host offers a repository's own blobs. */
export const PROMISOR_NAME = "blobs";

/** What is offered. */
export type PromisorOffer = {
  readonly url: string;
  /** Blobs of this many bytes and more are left out. */
  readonly blobsFrom: number;
  /** A token to read the repository with, where it is private. */
  readonly token: string | undefined;
};

const encoder = new TextEncoder();

/** Encodes what git's own servers encode: all but printable ASCII, and what separates fields. */
function encodeValue(value: string): string {
  return Array.from(encoder.encode(value), (byte) => {
    const character = String.fromCodePoint(byte);
    return byte > 32 && byte < 127 && !",;%".includes(character)
      ? character
      : `%${byte.toString(16).padStart(2, "0").toUpperCase()}`;
  }).join("");
}

/** Formats the value of the capability. */
export function formatPromisorOffer({ url, blobsFrom, token }: PromisorOffer): string {
  const fields = [
    ["name", PROMISOR_NAME],
    ["url", url],
    ["partialCloneFilter", `blob:limit=${blobsFrom}`],
    ...(token === undefined ? [] : [["token", token] as const]),
  ] as const;
  return fields.map(([name, value]) => `${name}=${encodeValue(value)}`).join(",");
}

/** Whether a client's answer accepts what this host offers. */
export function acceptsOffer(accepted: string): boolean {
  return accepted.split(";").includes(encodeValue(PROMISOR_NAME));
}
