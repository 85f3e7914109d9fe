/**
 * `/{tenant}/-/ssh-keys` and `/{tenant}/{repo}/settings/keys`: the public keys that may use git by SSH, of people and of one
 * repository, for those who administer them.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import * as v from "valibot";
import { SCOPES } from "../access/scope.ts";
import { ActionForm } from "./action-form.tsx";
import { act, field, lifeOf } from "./actions.ts";
import { apiJson } from "./api-json.ts";
import { assertOwnForm, readForm } from "./form.ts";
import { formTokenOf, pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { cursorLink, Pager } from "./pager.tsx";
import { administered, apiPath, settingsAnswer, settingsOf } from "./settings-frame.tsx";
import { issuedTo, repositoriesOf, tenantOf } from "./tokens-page.tsx";
import { ListTable } from "./list-table.tsx";
import { shownDay } from "./texts.ts";

const shownKey = {
  id: v.string(),
  name: v.string(),
  fingerprint: v.string(),
  expires_at: v.nullable(v.string()),
  last_used_at: v.nullable(v.string()),
};
const sshKey = v.object({ ...shownKey, scopes: v.array(v.string()), repos: v.nullable(v.array(v.string())) });
const sshKeys = v.object({ keys: v.array(sshKey), cursor: v.optional(v.string()) });
const deployKeys = v.object({
  keys: v.array(v.object({ ...shownKey, write: v.boolean() })),
  cursor: v.optional(v.string()),
});

/** A key as a row of the table. */
type Row = v.InferOutput<v.ObjectSchema<typeof shownKey, undefined>> & { readonly may: string };

/** The forms of a page: where they go, what they are called there, and the visitor's own token. */
type Forms = { readonly to: string; readonly token: string; readonly remove: string };

function KeyTable({ rows, forms }: { readonly rows: readonly Row[]; readonly forms: Forms }) {
  if (rows.length === 0) return <p class="note">No key is registered.</p>;
  return (
    <ListTable label="SSH keys" heads={["Name", "Fingerprint", "May", "Ends", "Last used", "Remove"]}>
      {rows.map((each) => (
        <tr>
          <td>
            <bdi>{each.name}</bdi>
          </td>
          <td>
            <code>{each.fingerprint}</code>
          </td>
          <td>{each.may}</td>
          <td>{shownDay(each.expires_at)}</td>
          <td>{shownDay(each.last_used_at)}</td>
          <td>
            <ActionForm to={forms.to} token={forms.token} action={forms.remove}>
              <input type="hidden" name="id" value={each.id} />
              <button aria-label={`Remove ${each.name}`}>Remove</button>
            </ActionForm>
          </td>
        </tr>
      ))}
    </ListTable>
  );
}

/** The fields that a key of either kind has. */
function KeyFields() {
  return (
    <p>
      <label>
        Name <input name="name" required maxlength={100} />
      </label>{" "}
      <label>
        Public key, a line as in <code>id_ed25519.pub</code>{" "}
        <input name="key" required size={60} placeholder="ssh-ed25519 AAAA…" autocomplete="off" />
      </label>
    </p>
  );
}

function AddForm({
  forms,
  action,
  children,
}: {
  readonly forms: Forms;
  readonly action: string;
  readonly children: Child;
}) {
  return (
    <ActionForm to={forms.to} token={forms.token} action={action} className="notice">
      <h2>Add a key</h2>
      <KeyFields />
      <p>
        {children}{" "}
        <label>
          Days until it ends <input name="days" type="number" min={1} max={3650} />
        </label>{" "}
        <button>Add</button>
      </p>
    </ActionForm>
  );
}

/** Returns the page of a list that was asked for. */
function paged(context: Context<PageEnv>, path: string): string {
  const cursor = context.req.query("cursor");
  return cursor === undefined ? path : `${path}?cursor=${encodeURIComponent(cursor)}`;
}

/** Answers with a tenant's keys. */
export async function sshKeysPage(context: Context<PageEnv>): Promise<Response> {
  const tenant = tenantOf(context);
  const list = await apiJson(context, paged(context, `/tenants/${tenant}/ssh-keys`), sshKeys);
  const forms = { to: `/${tenant}/-/ssh-keys`, token: formTokenOf(context), remove: "remove" };
  const rows = list.keys.map((key) => ({ ...key, may: issuedTo(key) }));
  return await pageAnswer(context, {
    title: `SSH keys - ${tenant}`,
    crumbs: [{ text: tenant, href: `/${tenant}` }, { text: "SSH keys" }],
    body: (
      <>
        <h1>SSH keys</h1>
        <p>
          A key may do by SSH what a <a href={`/${tenant}/-/tokens`}>token</a> of the same scopes may.
        </p>
        <KeyTable rows={rows} forms={forms} />
        <Pager href={cursorLink(list.cursor)} />
        <AddForm forms={forms} action="add">
          <label>
            May{" "}
            <select name="scope">
              {SCOPES.map((scope) => (
                <option value={scope}>{scope}</option>
              ))}
            </select>
          </label>{" "}
          <label>
            Only for these repositories <input name="repos" placeholder="all" size={30} />
          </label>
        </AddForm>
      </>
    ),
  });
}

/** Adds or removes a key of a tenant's. */
export async function sshKeysAction(context: Context<PageEnv>): Promise<Response> {
  const tenant = tenantOf(context);
  const form = await readForm(context.req.raw);
  assertOwnForm(context, form);
  const base = `/tenants/${tenant}/ssh-keys`;
  const [name, key] = [field(form, "name"), field(form, "key")];
  await act(
    context,
    base,
    field(form, "action") === "remove"
      ? { method: "DELETE", path: `/${encodeURIComponent(field(form, "id"))}` }
      : {
          method: "POST",
          path: "",
          body: { name, key, scopes: [field(form, "scope")], ...repositoriesOf(form), ...lifeOf(form) },
        },
  );
  return context.redirect(`/${tenant}/-/ssh-keys`, 303);
}

/** Answers with a repository's deploy keys. */
export async function deployKeysPage(context: Context<PageEnv>): Promise<Response> {
  return await administered(context, async (page) => {
    const list = await apiJson(context, paged(context, `${apiPath(page)}/deploy-keys`), deployKeys);
    const rows = list.keys.map((key) => ({ ...key, may: key.write ? "read and push" : "read" }));
    return await settingsAnswer(context, page, {
      at: "/settings/keys",
      body: ({ token }) => {
        const forms = { to: settingsOf(page), token, remove: "remove-key" };
        return (
          <section>
            <h2>Deploy keys</h2>
            <p>A deploy key is good for this repository alone, by SSH.</p>
            <KeyTable rows={rows} forms={forms} />
            <Pager href={cursorLink(list.cursor)} />
            <AddForm forms={forms} action="add-key">
              <label>
                <input type="checkbox" name="write" value="1" /> May push, too
              </label>
            </AddForm>
          </section>
        );
      },
    });
  });
}
