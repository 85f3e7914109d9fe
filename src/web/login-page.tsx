/**
 * `/-/login` and `/-/logout`: a visitor signs in with a token.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { tenantOfToken } from "../access/token.ts";
import { SIGNED_OUT, signedIn } from "../http/page-cookie.ts";
import { Problem } from "../http/problem.ts";
import { assertOwnForm, readForm } from "./form.ts";
import { pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";

/** Returns the address to go to afterwards: a path of this host, and nothing else. */
function safePath(asked: string | null): string {
  if (asked === null || !/^\/(?![/\\])[\x21-\x7e]*$/.test(asked) || asked.startsWith("/-/")) return "/";
  return asked;
}

async function loginAnswer(context: Context<PageEnv>, to: string, wrong?: string): Promise<Response> {
  return await pageAnswer(context, {
    title: "Sign in - thinpack",
    ...(wrong === undefined ? {} : { status: 403 }),
    body: (
      <section class="login">
        <h1>Sign in</h1>
        {wrong === undefined ? null : (
          <p class="error" role="alert">
            {wrong}
          </p>
        )}
        <form method="post" action="/-/login">
          <input type="hidden" name="to" value={to} />
          {/* A browser that keeps passwords wants a name to keep this one under. */}
          <input type="text" name="user" value="token" autocomplete="username" hidden readonly />
          <p>
            <label>
              Token
              <input type="password" name="token" required autocomplete="current-password" size={40} />
            </label>
          </p>
          <p>
            <button>Sign in</button>
          </p>
        </form>
        <p class="note">
          A token is what you push with. Your tenant's administrator makes one, and the browser keeps it sealed for 14
          days.
        </p>
      </section>
    ),
  });
}

/** Answers with the form. */
export async function loginPage(context: Context<PageEnv>): Promise<Response> {
  return await loginAnswer(context, safePath(new URL(context.req.url).searchParams.get("to")));
}

/** Returns a path of the API that only a token in force gets an answer from. */
function pathFor(token: string): string {
  const tenant = tenantOfToken(token);
  return tenant === undefined ? "/tenants?limit=1" : `/tenants/${tenant}`;
}

/** Signs a visitor in, if the token is in force. */
export async function login(context: Context<PageEnv>): Promise<Response> {
  const { page } = context.var;
  if (page.secret === undefined)
    throw new Problem(403, "This deployment has no ADMIN_TOKEN, without which nobody can sign in.");
  const form = await readForm(context.req.raw);
  const token = (form.get("token") ?? "").trim(); // A form without a token has a wrong one.
  const to = safePath(form.get("to"));
  const isUsable = /^[\x21-\x7e]{1,256}$/.test(token);
  const answer = isUsable
    ? await page.api(pathFor(token), { headers: { Authorization: `Bearer ${token}` } })
    : undefined;
  if (answer?.status === 429) throw new Problem(429, "Too many wrong tokens came from this address. Wait a minute.");
  if (answer?.ok !== true) return await loginAnswer(context, to, "This token is not one that is in force.");
  const headers = {
    Location: to,
    "Set-Cookie": await signedIn(token, page.secret, Date.now()),
    "Cache-Control": "no-store",
  };
  return new Response(null, { status: 303, headers });
}

/** Signs a visitor out. */
export async function logout(context: Context<PageEnv>): Promise<Response> {
  assertOwnForm(context, await readForm(context.req.raw));
  return new Response(null, {
    status: 303,
    headers: { Location: "/", "Set-Cookie": SIGNED_OUT, "Cache-Control": "no-store" },
  });
}
