/**
 * Asks a host's API as somebody.
 *
 * @packageDocumentation
 */
import { expect } from "vitest";
import { WAIT_LIMIT } from "./time-limits.ts";

/** An answer; `body` is `{}` where there is none. */
export type ApiAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
};

/** Asks as the holder of one token, or of none. */
export type ApiClient = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<ApiAnswer>;

/** Gives a client. Every error has to be a problem; `path` begins behind `/api/v1`. */
export function apiClient(base: string, token?: string): ApiClient {
  return async (method, path, body, headers = {}) => {
    const answer = await fetch(`${base}/api/v1${path}`, {
      method,
      signal: AbortSignal.timeout(WAIT_LIMIT),
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status >= 400) {
      expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
      expect(JSON.parse(text)).toMatchObject({ type: "about:blank", status: answer.status });
    }
    const json: unknown = text === "" ? {} : JSON.parse(text);
    return { status: answer.status, headers: answer.headers, body: json as Record<string, unknown> };
  };
}

/** Makes a token and gives its text. */
export async function issueToken(admin: ApiClient, tenant: string, scope: string, more: object = {}): Promise<string> {
  const answer = await admin("POST", `/tenants/${tenant}/tokens`, { name: scope, scopes: [scope], ...more });
  expect(answer.status).toBe(201);
  return String(answer.body["token"]);
}
