/**
 * A stand-in for R2's S3 API: takes presigned requests alone, checks their signatures and what they sign as the API does, and keeps
 * the objects in a host's own bucket.
 *
 * @packageDocumentation
 */
import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Miniflare } from "miniflare";

/** The keys of the stand-in. */
export const S3_KEYS = {
  R2_ACCESS_KEY_ID: "a-key-of-the-stand-in",
  R2_SECRET_ACCESS_KEY: "the secret of that key",
  R2_BUCKET: "bucket",
} as const;

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const hexOf = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** Returns why a presigned request is refused; `undefined` if it is good. */
function refusalOf(request: IncomingMessage, url: URL, body: Buffer, now: number): string | undefined {
  const query = url.searchParams;
  const [id = "", date = "", region = "", service = "", kind = ""] = (query.get("X-Amz-Credential") ?? "").split("/");
  const time = query.get("X-Amz-Date") ?? "";
  if (id !== S3_KEYS.R2_ACCESS_KEY_ID || service !== "s3" || kind !== "aws4_request") return "InvalidAccessKeyId";
  const signed = (query.get("X-Amz-SignedHeaders") ?? "").split(";");
  const unsigned = Object.keys(request.headers).filter((name) => name.startsWith("x-amz-") && !signed.includes(name));
  if (unsigned.length > 0) return `AccessDenied: unsigned ${unsigned.join(", ")}`;
  const began = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(now < began + Number(query.get("X-Amz-Expires")) * 1000)) return "ExpiredRequest";
  const given = query.get("X-Amz-Signature") ?? "";
  const canonicalQuery = url.search
    .slice(1)
    .split("&")
    .filter((part) => !part.startsWith("X-Amz-Signature="))
    .toSorted();
  const hash = request.headers["x-amz-content-sha256"];
  const canonical = [
    request.method,
    url.pathname,
    canonicalQuery.join("&"),
    ...signed.map((name) => `${name}:${String(request.headers[name])}`),
    "",
    signed.join(";"),
    typeof hash === "string" ? hash : "UNSIGNED-PAYLOAD",
  ].join("\n");
  const scope = [date, region, service, kind].join("/");
  const text = ["AWS4-HMAC-SHA256", time, scope, hexOf(canonical)].join("\n");
  const key = [date, region, service, kind].reduce<string | Buffer>(hmac, `AWS4${S3_KEYS.R2_SECRET_ACCESS_KEY}`);
  if (hmac(key, text).toString("hex") !== given) return "SignatureDoesNotMatch";
  if (typeof hash === "string" && hash !== hexOf(body)) return "XAmzContentSHA256Mismatch";
  return undefined;
}

/** A running stand-in. */
export class S3StandIn {
  readonly #server: Server;
  #miniflare: Miniflare | undefined;
  /** Whether the bucket keeps the SHA-256 of what is put into it. */
  keepsChecksums = true;
  /** Its clock, in milliseconds since the epoch: that of the host, where a test puts it forward. */
  now = (): number => Date.now();
  /** What was asked, and how it was answered. */
  readonly log: string[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      const work = async (): Promise<void> => {
        const { status, body = "" } = await this.#answer(request);
        this.log.push(`${request.method} ${status}`);
        response.writeHead(status).end(body);
      };
      work().catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
  }

  /** Starts one. */
  static async start(): Promise<S3StandIn> {
    const standIn = new S3StandIn();
    await new Promise<void>((resolve) => {
      standIn.#server.listen(0, "127.0.0.1", resolve);
    });
    return standIn;
  }

  /** The variables with which a host uses it. */
  get variables(): Record<string, string> {
    return { ...S3_KEYS, R2_ENDPOINT: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` };
  }

  /** Keeps objects in this host's bucket from now on. */
  serve(miniflare: Miniflare): void {
    this.#miniflare = miniflare;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body?: string | Buffer }> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
    const refusal = refusalOf(request, url, body, this.now());
    if (refusal !== undefined) return { status: 403, body: refusal };
    const bucket = await this.#miniflare?.getR2Bucket("BUCKET");
    const key = url.pathname.replace(`/${S3_KEYS.R2_BUCKET}/`, "");
    if (bucket === undefined) return { status: 503 };
    if (request.method === "GET") {
      const object = await bucket.get(key);
      return object === null ? { status: 404 } : { status: 200, body: Buffer.from(await object.arrayBuffer()) };
    }
    const customMetadata = Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) =>
        name.startsWith("x-amz-meta-") ? [[name.slice("x-amz-meta-".length), String(value)]] : [],
      ),
    );
    const checked = this.keepsChecksums ? { sha256: hexOf(body) } : {};
    await bucket.put(key, new Uint8Array(body), { customMetadata, ...checked });
    return { status: 200 };
  }
}
