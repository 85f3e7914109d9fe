/** Presigned addresses: the published example, and what an address depends on. */
import { expect, it } from "vitest";
import { presignedUrl, type S3Account } from "../../../src/cloudflare/presigned-urls.ts";
import { r2Presigner } from "../../../src/cloudflare/r2-presigner.ts";

const EXAMPLE: S3Account = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  endpoint: "https://examplebucket.s3.amazonaws.com",
  region: "us-east-1",
};
const NOW = Date.parse("2013-05-24T00:00:00Z");

it("an address is that of the published example", () => {
  // From "Authenticating Requests: Using Query Parameters" of the S3 API's documentation.
  const request = { method: "GET", path: "/test.txt", headers: {}, expiresIn: 86_400 } as const;
  expect(presignedUrl(EXAMPLE, request, NOW)).toBe(
    "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256" +
      "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
      "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
      "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
  );
});

it("an upload's address signs the bytes' SHA-256 and their length", () => {
  const settings = { R2_ACCESS_KEY_ID: "id", R2_SECRET_ACCESS_KEY: "secret", R2_ACCOUNT_ID: "account" };
  const presigner = r2Presigner(settings, () => NOW);
  const [one, other] = ["1".repeat(64), "2".repeat(64)];
  const action = presigner?.upload({ oid: one, size: 5 }, { home: "acme", repositoryId: "r1" });
  expect(action?.header).toEqual({ "x-amz-content-sha256": one, "x-amz-meta-repository": "r1" });
  const url = new URL(action?.href ?? "");
  expect(url.origin + url.pathname).toBe(`https://account.r2.cloudflarestorage.com/thinpack/lfs/acme/11/11/${one}`);
  expect(url.searchParams.get("X-Amz-SignedHeaders")).toBe(
    "content-length;host;x-amz-content-sha256;x-amz-meta-repository",
  );
  const signatures = [
    action?.href,
    presigner?.upload({ oid: one, size: 6 }, { home: "acme", repositoryId: "r1" }).href,
    presigner?.upload({ oid: other, size: 5 }, { home: "acme", repositoryId: "r1" }).href,
    presigner?.upload({ oid: one, size: 5 }, { home: "other", repositoryId: "r1" }).href,
    presigner?.upload({ oid: one, size: 5 }, { home: "acme", repositoryId: "r2" }).href,
    presigner?.download(one, "acme").href,
  ].map((href) => new URL(href ?? "").searchParams.get("X-Amz-Signature"));
  expect(new Set(signatures).size).toBe(signatures.length);
});

it("a download's address signs that a browser saves the file", () => {
  const settings = { R2_ACCESS_KEY_ID: "id", R2_SECRET_ACCESS_KEY: "secret", R2_ACCOUNT_ID: "account" };
  const href = r2Presigner(settings, () => NOW)?.download("1".repeat(64), "acme").href ?? "";
  const [signed = "", signature = ""] = href.split("&X-Amz-Signature=");
  expect(signature).toMatch(/^[0-9a-f]{64}$/);
  // The signature is over the sorted query, so it has to be in that order.
  const query = new URL(signed).search.slice(1).split("&");
  expect(query).toEqual(query.toSorted());
  expect(query.slice(-2)).toEqual([
    "response-content-disposition=attachment",
    "response-content-type=application%2Foctet-stream",
  ]);
});

it("without all keys there are no addresses", () => {
  const settings = { R2_ACCESS_KEY_ID: "id", R2_SECRET_ACCESS_KEY: "secret", R2_ACCOUNT_ID: "account" };
  for (const name of Object.keys(settings)) {
    expect(r2Presigner({ ...settings, [name]: "" }, () => NOW)).toBeUndefined();
  }
});
