/**
 * Asks a host's Git LFS API as somebody, with requests that the stock client would not send.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";

/** The media type of the API. */
export const LFS_TYPE = "application/vnd.git-lfs+json";

/** An answer; `body` is `{}` where there is none. */
export type LfsReply = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> };

/** What every error has. */
const ERROR_SHAPE = [
  ["message", /./],
  ["request_id", /^[0-9a-f]{32}$/],
  ["documentation_url", /^https:/],
] as const;

/** The actions of one object. */
export type LfsActions = Readonly<Record<string, { readonly href: string; readonly header: Record<string, string> }>>;

/** Returns the actions of an object that was answered. */
export function actionsOf(answer: Record<string, unknown> | undefined): LfsActions {
  return (answer?.["actions"] ?? {}) as LfsActions;
}

/** Returns the name and the size of an object. */
export function lfsObject(bytes: Uint8Array | string): { oid: string; size: number } {
  return { oid: createHash("sha256").update(bytes).digest("hex"), size: Buffer.byteLength(bytes) };
}

/** Asks as the holder of a token, or of none. Every error has to be of the client's shape. */
export class LfsClient {
  readonly #url: string;
  readonly #token: string | undefined;

  /** `url` is that of the repository. */
  constructor(url: string, token?: string) {
    this.#url = `${url}/info/lfs`;
    this.#token = token;
  }

  /** Sends a request below `info/lfs`, or to an address of the host's. */
  async send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== undefined) headers.set("Authorization", `Basic ${btoa(`user:${this.#token}`)}`);
    return await fetch(path.startsWith("http") ? path : `${this.#url}/${path}`, { ...init, headers });
  }

  /** Sends JSON, or text that should be some, and reads the answer. */
  async ask(path: string, body?: unknown, init: RequestInit = {}): Promise<LfsReply> {
    const answer = await this.send(path, {
      method: body === undefined ? "GET" : "POST",
      headers: { Accept: LFS_TYPE, ...(body === undefined ? {} : { "Content-Type": LFS_TYPE }) },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...init,
    });
    const text = await answer.text();
    const type = answer.headers.get("Content-Type");
    if (type !== LFS_TYPE) throw new Error(`an answer of type ${type}: ${text}`);
    const json = JSON.parse(text) as Record<string, unknown>;
    const isShaped = ERROR_SHAPE.every(([name, form]) => form.test(String(json[name])));
    if (answer.status >= 400 && !isShaped) throw new Error(`an error of another shape: ${text}`);
    return { status: answer.status, headers: answer.headers, body: json };
  }

  /** Asks about objects. Returns them as they were answered. */
  async batch(operation: string, objects: readonly object[], more: object = {}): Promise<Record<string, unknown>[]> {
    const { status, body } = await this.ask("objects/batch", { operation, objects, ...more });
    if (status !== 200 || body["transfer"] !== "basic" || body["hash_algo"] !== "sha256") {
      throw new Error(`a batch was answered with ${status}: ${JSON.stringify(body)}`);
    }
    return body["objects"] as Record<string, unknown>[];
  }

  /** Uploads bytes under a name, as their own or not. */
  async put(oid: string, bytes: Uint8Array | string): Promise<LfsReply> {
    return await this.ask(`objects/${oid}`, undefined, { method: "PUT", body: Buffer.from(bytes) });
  }
}
