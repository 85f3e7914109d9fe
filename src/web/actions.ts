/**
 * What the forms of settings do: each is a request to the API, made as the visitor, behind a check that the form came
 * from a page of their own session.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { shownName, type RepositoryName } from "../access/names.ts";
import { Problem } from "../http/problem.ts";
import { assertDone } from "./api-json.ts";
import { assertOwnForm, readForm } from "./form.ts";
import type { PageEnv } from "./page-host.ts";
import { pageRepository } from "./repository-request.ts";

/** A request to the API, below the thing that the page is of. */
export type ActionRequest = { readonly method: string; readonly path: string; readonly body?: object };

/** What one form does. */
export type Action = {
  /** Whether the visitor has to type the name of the thing. */
  readonly needsName?: boolean;
  /** The page to show afterwards, below the thing; the tenant's for one that is gone. */
  readonly leadsTo?: string;
  request(form: URLSearchParams): ActionRequest;
};

/** Returns a field of a form; "" if it is absent. */
export function field(form: URLSearchParams, name: string): string {
  return (form.get(name) ?? "").trim(); // An absent field and an empty one are alike.
}

/** Returns an identifier that a form names, as a part of a path. */
function idOf(form: URLSearchParams, name: string): string {
  return encodeURIComponent(field(form, name));
}

const REPOSITORY_ACTIONS: Readonly<Record<string, Action>> = {
  save: {
    request: (form) => ({
      method: "PATCH",
      path: "",
      body: {
        description: field(form, "description"),
        visibility: field(form, "visibility"),
        ...(field(form, "default_branch") === "" ? {} : { default_branch: field(form, "default_branch") }),
        ...(form.has("knows_read_only") ? { read_only: form.has("read_only") } : {}),
      },
    }),
  },
  maintain: { request: () => ({ method: "POST", path: "/maintenance", body: {} }) },
  purge: { needsName: true, request: () => ({ method: "POST", path: "/maintenance", body: { purge: true } }) },
  sync: { request: () => ({ method: "POST", path: "/mirror/sync" }) },
  "add-hook": {
    request: (form) => ({
      method: "POST",
      path: "/hooks",
      body: { url: field(form, "url"), secret: field(form, "secret"), events: form.getAll("events") },
    }),
  },
  "remove-hook": { request: (form) => ({ method: "DELETE", path: `/hooks/${idOf(form, "hook")}` }) },
  redeliver: {
    request: (form) => ({
      method: "POST",
      path: `/hooks/${idOf(form, "hook")}/deliveries/${idOf(form, "delivery")}/redeliver`,
    }),
  },
  restore: {
    leadsTo: "/reflog",
    request: (form) => ({ method: "POST", path: `/reflog/${idOf(form, "push")}/restore` }),
  },
  delete: { needsName: true, leadsTo: "gone", request: () => ({ method: "DELETE", path: "" }) },
};

/** Asks the API. @throws Problem if it refuses. */
export async function act(context: Context<PageEnv>, base: string, request: ActionRequest): Promise<Response> {
  const { method, path, body } = request;
  const answer = await context.var.page.api(`${base}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  });
  await assertDone(answer);
  return answer;
}

function pageAfter({ leadsTo = "/settings" }: Action, name: RepositoryName): string {
  const shown = shownName(name);
  return leadsTo === "gone" ? `/${shown.split("/")[0] ?? ""}` : `/${shown}${leadsTo}`; // A name has two parts.
}

/** Does what a form of a repository's settings asks for, and leads back to the page. */
export async function repositoryAction(context: Context<PageEnv>): Promise<Response> {
  const name = pageRepository(context);
  const form = await readForm(context.req.raw);
  assertOwnForm(context, form);
  const asked = field(form, "action");
  const action = Object.hasOwn(REPOSITORY_ACTIONS, asked) ? REPOSITORY_ACTIONS[asked] : undefined;
  if (action === undefined) throw new Problem(422, "This is nothing that a form here does.");
  if (action.needsName === true && field(form, "confirm").toLowerCase() !== name.repo)
    throw new Problem(422, "Type the repository's name to confirm it. Nothing was changed.");
  await act(context, `/repos/${shownName(name)}`, action.request(form));
  return context.redirect(pageAfter(action, name), 303);
}
