/**
 * Answers of the Git LFS API: their media type, and the shape of their errors.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
 */
import type { Context } from "hono";
import { readBodyText } from "./body-text.ts";
import { CHALLENGE } from "./denied.ts";
import { NO_CACHE } from "./git-failure.ts";
import type { HostEnv } from "./host.ts";
import { explainError, Problem } from "./problem.ts";

/** The media type of the requests and answers. */
export const LFS_TYPE = "application/vnd.git-lfs+json";
/** Where the client's user reads about the API. */
const DOCUMENTATION = "https://github.com/git-lfs/git-lfs/tree/main/docs/api";
/** Bytes of the largest body: a batch of the most objects, with room for white space. */
const MOST_BODY = 262_144;

/** Returns an answer. */
export function lfsAnswer(body: object, status = 200, more: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...NO_CACHE, ...more, "Content-Type": LFS_TYPE } });
}

/** Returns the body of an error. */
export function lfsErrorBody(context: Context<HostEnv>, message: string): object {
  return { message, request_id: context.var.host.sessionId, documentation_url: DOCUMENTATION };
}

/** Returns the answer that `work` makes, or the one to what it throws. */
export async function lfsAnswered(context: Context<HostEnv>, work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    const { status, detail, headers } = explainError("lfs", error);
    // The client asks for credentials when it sees either of the two.
    const challenge = status === 401 ? { "LFS-Authenticate": CHALLENGE, "WWW-Authenticate": CHALLENGE } : {};
    return lfsAnswer(lfsErrorBody(context, detail), status, { ...headers, ...challenge });
  }
}

function isLfsJson(request: Request): boolean {
  const type = request.headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  return type === LFS_TYPE || type === "application/json";
}

/**
 * Returns the JSON of a request's body.
 *
 * @throws Problem
 */
export async function readLfsJson(request: Request): Promise<unknown> {
  if (!isLfsJson(request)) throw new Problem(415, `The body has to be ${LFS_TYPE}.`);
  const text = await readBodyText(request, MOST_BODY);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Problem(400, "The body is not JSON.", {}, { cause });
  }
  if (Array.isArray(json)) throw new Problem(422, "The body has to be an object.");
  return json;
}
