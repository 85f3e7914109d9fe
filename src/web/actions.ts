/**
 * What the forms of settings do: each is a request to the API, made as the visitor, behind a check that the form came
 * from a page of their own session.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { shownName, type RepositoryName } from "../access/names.ts";
import { Problem } from "../http/problem.ts";
import { apiTagged, assertDone, assertLfsDone } from "./api-json.ts";
import { assertOwnForm, readForm } from "./form.ts";
import type { PageEnv } from "./page-host.ts";
import { pageRepository } from "./repository-request.ts";
import { protectedRefs, ruleOf, type ShownRule } from "./rules.ts";

/** A request to the API, below the thing that the page is of; or to the server of Git LFS of a repository. */
export type ActionRequest = {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  /** The state that the change is made to, and to no other. */
  readonly ifMatch?: string;
  readonly isForLfs?: boolean;
};

/** Returns the rules of a repository, as the visitor sees them. */
type ReadRules = () => Promise<readonly ShownRule[]>;

/** What one form does. */
export type Action = {
  /** Whether the visitor has to type the name of the thing. */
  readonly needsName?: boolean;
  /** The page to show afterwards, below the thing; the tenant's for one that is gone. */
  readonly leadsTo?: string;
  request(form: URLSearchParams, readRules: ReadRules): ActionRequest | Promise<ActionRequest>;
};

/** Returns a field of a form; "" if it is absent. */
export function field(form: URLSearchParams, name: string): string {
  return (form.get(name) ?? "").trim(); // An absent field and an empty one are alike.
}

/** Seconds of a day. */
const DAY = 24 * 3600;

/** Returns the life of a token or a key that a form gives in days, as a part of a request. */
export function lifeOf(form: URLSearchParams): { readonly expires_in?: number } {
  const days = field(form, "days");
  return days === "" ? {} : { expires_in: Number(days) * DAY };
}

/** Returns an identifier that a form names, as a part of a path. */
function idOf(form: URLSearchParams, name: string): string {
  return encodeURIComponent(field(form, name));
}

/** Returns a number that a form has; one that is none is for the API to refuse. */
function numberOf(form: URLSearchParams, name: string): number | string {
  const text = field(form, name);
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** Returns the settings of a mirror that a form has. Fields that stayed empty change nothing. */
function mirrorOf(form: URLSearchParams): object {
  const secrets = { username: "username", password: "password", token: "upstream_token", hook_secret: "hook_secret" };
  const isForgotten = form.has("forget");
  // Nothing is trimmed: a secret may begin or end with a space.
  const valueOf = (name: string): string | null => (isForgotten ? null : form.getAll(name).join(""));
  const given = Object.entries(secrets).map(([member, name]) => [member, valueOf(name)] as const);
  const refspecs = field(form, "refspecs").split(/[\r\n]+/).filter((line) => line !== ""); // prettier-ignore
  return {
    upstream: field(form, "upstream"),
    interval: numberOf(form, "interval"),
    policy: field(form, "policy"),
    ...(refspecs.length === 0 ? {} : { refspecs }),
    ...Object.fromEntries(given.filter(([, value]) => value !== "")),
  };
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
        ...(form.has("knows_sign") ? { sign: form.has("sign") ? "host" : null } : {}),
      },
    }),
  },
  "add-rule": {
    leadsTo: "/settings/rules",
    request: async (form, readRules) => ({
      method: "PATCH",
      path: "",
      ifMatch: field(form, "tag"),
      body: { protected: [...(await readRules()), ruleOf(form)] },
    }),
  },
  "remove-rule": {
    leadsTo: "/settings/rules",
    request: async (form, readRules) => ({
      method: "PATCH",
      path: "",
      ifMatch: field(form, "tag"),
      body: { protected: (await readRules()).filter((_, at) => String(at) !== field(form, "rule")) },
    }),
  },
  maintain: {
    leadsTo: "/settings/maintenance",
    request: () => ({ method: "POST", path: "/maintenance", body: {} }),
  },
  purge: {
    needsName: true,
    leadsTo: "/settings/maintenance",
    request: () => ({ method: "POST", path: "/maintenance", body: { purge: true } }),
  },
  "save-mirror": {
    leadsTo: "/settings/mirror",
    request: (form) => ({ method: "PUT", path: "/mirror", body: mirrorOf(form) }),
  },
  sync: { leadsTo: "/settings/mirror", request: () => ({ method: "POST", path: "/mirror/sync" }) },
  "stop-mirror": {
    needsName: true,
    leadsTo: "/settings/mirror",
    request: () => ({ method: "DELETE", path: "/mirror" }),
  },
  "save-lfs": {
    leadsTo: "/settings/lfs",
    request: (form) => ({
      method: "PATCH",
      path: "",
      body: {
        require_lfs_objects: form.has("require_lfs_objects"),
        lfs_above: field(form, "lfs_above") === "" ? null : numberOf(form, "lfs_above"),
      },
    }),
  },
  unlock: {
    leadsTo: "/settings/lfs",
    request: (form) => ({
      method: "POST",
      path: `/locks/${idOf(form, "lock")}/unlock`,
      body: { force: true },
      isForLfs: true,
    }),
  },
  "add-key": {
    leadsTo: "/settings/keys",
    request: (form) => ({
      method: "POST",
      path: "/deploy-keys",
      body: { name: field(form, "name"), key: field(form, "key"), write: form.has("write"), ...lifeOf(form) },
    }),
  },
  "remove-key": {
    leadsTo: "/settings/keys",
    request: (form) => ({ method: "DELETE", path: `/deploy-keys/${idOf(form, "id")}` }),
  },
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
  // The old name leads to the new one.
  rename: { needsName: true, request: (form) => ({ method: "PATCH", path: "", body: { name: field(form, "name") } }) },
  delete: { needsName: true, leadsTo: "gone", request: () => ({ method: "DELETE", path: "" }) },
};

/** Asks the API. @throws Problem if it refuses. */
export async function act(context: Context<PageEnv>, base: string, request: ActionRequest): Promise<Response> {
  const { method, path, ifMatch } = request;
  const answer = await context.var.page.api(`${base}${path}`, {
    method,
    ...sent(request, ifMatch === undefined ? {} : { "If-Match": ifMatch }),
  });
  await assertDone(answer);
  return answer;
}

/** Returns the body of a request, and its headers. */
function sent({ body }: ActionRequest, headers: Readonly<Record<string, string>>): RequestInit {
  if (body === undefined) return { headers };
  return { headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
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
  const base = `/repos/${shownName(name)}`;
  const readRules = async (): Promise<readonly ShownRule[]> =>
    (await apiTagged(context, base, v.object({ protected: protectedRefs }))).body.protected;
  const request = await action.request(form, readRules);
  if (request.isForLfs === true) {
    const { method, path } = request;
    await assertLfsDone(await context.var.page.lfs(shownName(name), path, { method, ...sent(request, {}) }));
  } else await act(context, base, request);
  return context.redirect(pageAfter(action, name), 303);
}
