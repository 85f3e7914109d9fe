/**
 * `/{tenant}/-/tokens`: a tenant's tokens, for those who administer it. The text of a token is shown once.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { isTenantName } from "../access/names.ts";
import { SCOPES } from "../access/scope.ts";
import { Problem } from "../http/problem.ts";
import { ActionForm } from "./action-form.tsx";
import { act, field, lifeOf } from "./actions.ts";
import { apiJson } from "./api-json.ts";
import { assertOwnForm, readForm } from "./form.ts";
import { formTokenOf, pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { ListTable } from "./list-table.tsx";
import { shownDay } from "./texts.ts";

const tokens = v.object({
  tokens: v.array(
    v.object({
      id: v.string(),
      name: v.string(),
      scopes: v.array(v.string()),
      repos: v.nullable(v.array(v.string())),
      created_at: v.string(),
      expires_at: v.nullable(v.string()),
      last_used_at: v.nullable(v.string()),
    }),
  ),
});
const issued = v.object({ name: v.string(), token: v.string() });

/** Returns the tenant of a page. @throws Problem */
export function tenantOf(context: Context<PageEnv>): string {
  const { tenant = "" } = context.req.param();
  if (!isTenantName(tenant)) throw new Problem(404, "There is no such tenant.");
  return tenant;
}

/** Returns what a token or a key may, and for which repositories. */
export function issuedTo({
  scopes,
  repos,
}: Pick<v.InferOutput<typeof tokens>["tokens"][0], "scopes" | "repos">): string {
  return `${scopes.join(", ")}${repos === null ? "" : `: ${repos.join(", ")}`}`;
}

/** Returns the repositories that a form names, as a part of a request; nothing for all. */
export function repositoriesOf(form: URLSearchParams): { readonly repos?: readonly string[] } {
  const repos = field(form, "repos")
    .split(/[\s,]+/)
    .filter((name) => name !== "");
  return repos.length === 0 ? {} : { repos };
}

function IssueForm({ tenant, form }: { readonly tenant: string; readonly form: string }) {
  return (
    <ActionForm to={`/${tenant}/-/tokens`} token={form} action="issue" className="notice">
      <h2>Make a token</h2>
      <p>
        <label>
          Name <input name="name" required maxlength={100} />
        </label>{" "}
        <label>
          May{" "}
          <select name="scope">
            {SCOPES.map((scope) => (
              <option value={scope}>{scope}</option>
            ))}
          </select>
        </label>
      </p>
      <p>
        <label>
          Only for these repositories <input name="repos" placeholder="all" size={30} />
        </label>{" "}
        <label>
          Days until it ends <input name="days" type="number" min={1} max={3650} />
        </label>{" "}
        <button>Make</button>
      </p>
    </ActionForm>
  );
}

type TokenTableProps = {
  readonly tenant: string;
  readonly form: string;
  readonly list: v.InferOutput<typeof tokens>;
};

function TokenTable({ tenant, form, list }: TokenTableProps) {
  if (list.tokens.length === 0) return <p class="note">There is no token yet.</p>;
  return (
    <ListTable label="Tokens" heads={["Name", "May", "For", "Ends", "Last used", "Revoke"]}>
      {list.tokens.map((each) => (
        <tr>
          <td>
            <bdi>{each.name}</bdi>
          </td>
          <td>{each.scopes.join(", ")}</td>
          <td>{each.repos === null ? "all" : each.repos.join(", ")}</td>
          <td>{shownDay(each.expires_at)}</td>
          <td>{shownDay(each.last_used_at)}</td>
          <td>
            <ActionForm to={`/${tenant}/-/tokens`} token={form} action="revoke">
              <input type="hidden" name="id" value={each.id} />
              <button aria-label={`Revoke ${each.name}`}>Revoke</button>
            </ActionForm>
          </td>
        </tr>
      ))}
    </ListTable>
  );
}

async function answer(
  context: Context<PageEnv>,
  tenant: string,
  made?: v.InferOutput<typeof issued>,
): Promise<Response> {
  const list = await apiJson(context, `/tenants/${tenant}/tokens`, tokens);
  const form = formTokenOf(context);
  return await pageAnswer(context, {
    title: `Tokens - ${tenant}`,
    crumbs: [{ text: tenant, href: `/${tenant}` }, { text: "Tokens" }],
    body: (
      <>
        <h1>Tokens</h1>
        {made === undefined ? null : (
          <p class="notice" role="status">
            This is the token <bdi>{made.name}</bdi>. It is not shown again:{" "}
            <input class="copy" readonly value={made.token} size={60} aria-label="The token" />
          </p>
        )}
        <TokenTable tenant={tenant} form={form} list={list} />
        <IssueForm tenant={tenant} form={form} />
      </>
    ),
  });
}

/** Answers with the list. */
export async function tokensPage(context: Context<PageEnv>): Promise<Response> {
  return await answer(context, tenantOf(context));
}

/** Makes or revokes a token. */
export async function tokensAction(context: Context<PageEnv>): Promise<Response> {
  const tenant = tenantOf(context);
  const form = await readForm(context.req.raw);
  assertOwnForm(context, form);
  const base = `/tenants/${tenant}/tokens`;
  if (field(form, "action") === "revoke") {
    await act(context, base, { method: "DELETE", path: `/${encodeURIComponent(field(form, "id"))}` });
    return context.redirect(`/${tenant}/-/tokens`, 303);
  }
  const body = {
    name: field(form, "name"),
    scopes: [field(form, "scope")],
    ...repositoriesOf(form),
    ...lifeOf(form),
  };
  const made = await act(context, base, { method: "POST", path: "", body });
  const page = await answer(context, tenant, v.parse(issued, await made.json()));
  page.headers.set("Cache-Control", "no-store");
  return page;
}
