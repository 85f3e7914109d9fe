/**
 * `LfsPresigner` on R2's S3 API, where the operator has given the deployment keys of it.
 *
 * @packageDocumentation
 */
import { type LfsPresigner, lfsKey } from "../lfs/lfs-files.ts";
import { presignedUrl, type S3Account } from "./presigned-urls.ts";

/** The settings of the S3 API. Without all of the first three, bytes go through the Worker. */
export type PresignerSettings = {
  readonly R2_ACCESS_KEY_ID?: string;
  readonly R2_SECRET_ACCESS_KEY?: string;
  readonly R2_ACCOUNT_ID?: string;
  /** The origin of the API, where it is not the account's: that of a jurisdiction, or of a stand-in. */
  readonly R2_ENDPOINT?: string;
  /** The name of the bucket, where it is not `thinpack`. */
  readonly R2_BUCKET?: string;
};

/** The metadata of an object that says to which repository it was uploaded. */
export const REPOSITORY_KEY = "repository";
/** Seconds for which an address is good. A client asks again for one that has expired. */
const UPLOAD_SECONDS = 3600;
const DOWNLOAD_SECONDS = 900;
/** What the bucket is told to answer with, so that a browser does nothing with a file but save it. */
const SAVED_ONLY = {
  "response-content-disposition": "attachment",
  "response-content-type": "application/octet-stream",
};
/** The largest object that one request puts into the bucket, in bytes. */
const MOST_PUT_BYTES = 5_000_000_000;

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}

/** Returns the presigner; `undefined` if the deployment has no keys. `now` returns milliseconds since the epoch. */
export function r2Presigner(settings: PresignerSettings, now: () => number): LfsPresigner | undefined {
  const { R2_ACCESS_KEY_ID: id, R2_SECRET_ACCESS_KEY: secret, R2_ACCOUNT_ID: account, R2_ENDPOINT: given } = settings;
  const endpoint = isSet(given) ? given.replace(/\/+$/, "") : `https://${account ?? ""}.r2.cloudflarestorage.com`; // Checked below.
  if (!isSet(id) || !isSet(secret) || !(isSet(account) || isSet(given))) return undefined;
  const keys: S3Account = { accessKeyId: id, secretAccessKey: secret, endpoint, region: "auto" };
  const bucket = isSet(settings.R2_BUCKET) ? settings.R2_BUCKET : "thinpack";
  const pathOf = (home: string, oid: string): string => `/${bucket}/${lfsKey(home, oid)}`;
  return {
    mostBytes: MOST_PUT_BYTES,
    upload: ({ oid, size }, { home, repositoryId }) => {
      // All are signed, so that no other bytes and no other length can be sent, nor for another repository.
      const header = { "x-amz-content-sha256": oid, [`x-amz-meta-${REPOSITORY_KEY}`]: repositoryId };
      const headers = { ...header, "content-length": String(size) };
      const request = { method: "PUT", path: pathOf(home, oid), headers, expiresIn: UPLOAD_SECONDS } as const;
      return { href: presignedUrl(keys, request, now()), header, expires_in: UPLOAD_SECONDS };
    },
    download: (oid, home) => {
      const to = { method: "GET", path: pathOf(home, oid), headers: {}, query: SAVED_ONLY } as const;
      const request = { ...to, expiresIn: DOWNLOAD_SECONDS };
      return { href: presignedUrl(keys, request, now()), expires_in: DOWNLOAD_SECONDS };
    },
  };
}
