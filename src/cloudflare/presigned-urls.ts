/**
 * Addresses of objects in an R2 bucket that carry their own permission: AWS Signature Version 4 in the query, as R2's S3
 * API takes it. A holder of one may do the one thing that it is for, until it expires.
 *
 * @packageDocumentation
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
import { createHash, createHmac } from "node:crypto";

const ALGORITHM = "AWS4-HMAC-SHA256";
const SERVICE = "s3";
/** The payload of a request whose body is not signed. */
const UNSIGNED = "UNSIGNED-PAYLOAD";

/** The keys of an S3 API, and where it is. */
export type S3Account = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The origin of the API. */
  readonly endpoint: string;
  /** R2 takes `auto`. */
  readonly region: string;
};

/** A request that is allowed. */
export type PresignedRequest = {
  readonly method: "GET" | "PUT";
  /** The path, whose characters need no escaping. */
  readonly path: string;
  /** Headers, with lower-case names, that have to be sent as they are here. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parameters of the query, in the order of their names, which come after `X-Amz-`. */
  readonly query?: Readonly<Record<string, string>>;
  /** Seconds for which it is allowed. */
  readonly expiresIn: number;
};

function hmac(key: string | Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** Encodes a part of a query, as the signature wants it. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Returns the address of a request that is allowed from `now` on, which is in milliseconds since the epoch. */
export function presignedUrl(account: S3Account, request: PresignedRequest, now: number): string {
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const date = time.slice(0, 8);
  const scope = `${date}/${account.region}/${SERVICE}/aws4_request`;
  const { host } = new URL(account.endpoint);
  const headers = Object.entries({ ...request.headers, host }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const signedHeaders = headers.map(([name]) => name).join(";");
  const query = Object.entries({
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": `${account.accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": String(request.expiresIn),
    "X-Amz-SignedHeaders": signedHeaders,
    ...request.query,
  })
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .join("&");
  const canonical = [
    request.method,
    request.path,
    query,
    ...headers.map(([name, value]) => `${name}:${value}`),
    "",
    signedHeaders,
    request.headers["x-amz-content-sha256"] ?? UNSIGNED, // A download has no body.
  ].join("\n");
  const text = [ALGORITHM, time, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  const keyOfDay = hmac(`AWS4${account.secretAccessKey}`, date);
  const key = hmac(hmac(hmac(keyOfDay, account.region), SERVICE), "aws4_request");
  const signature = hmac(key, text).toString("hex");
  return `${account.endpoint}${request.path}?${query}&X-Amz-Signature=${signature}`;
}
