/**
 * `/{tenant}/{repo}/settings` and `/reflog`: a repository, for those who administer it.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { ActionForm } from "./action-form.tsx";
import { apiJson } from "./api-json.ts";
import { ConfirmedForm } from "./confirmed-form.tsx";
import type { PageEnv } from "./page-host.ts";
import { cursorLink, Pager } from "./pager.tsx";
import { shownNames } from "./repository-request.ts";
import { administered, apiPath, type Section, settingsAnswer, settingsOf } from "./settings-frame.tsx";
import { ListTable } from "./list-table.tsx";

const settings = v.object({
  visibility: v.string(),
  default_branch: v.string(),
  description: v.string(),
  read_only: v.boolean(),
  sign: v.nullable(v.string()),
  mirror: v.optional(v.object({ synced_at: v.nullable(v.string()) })),
});
const hook = v.object({
  id: v.string(),
  url: v.string(),
  events: v.array(v.string()),
  active: v.boolean(),
  disabled_reason: v.nullable(v.string()),
});
const hooks = v.object({ hooks: v.array(hook) });
const deliveries = v.object({
  deliveries: v.array(
    v.object({
      id: v.string(),
      event: v.string(),
      state: v.string(),
      status: v.nullable(v.number()),
      error: v.nullable(v.string()),
      created_at: v.string(),
    }),
  ),
});
const reflog = v.object({
  pushes: v.array(
    v.object({
      id: v.number(),
      actor: v.string(),
      actor_name: v.nullable(v.string()),
      at: v.string(),
      updates: v.array(v.object({ ref: v.string(), old: v.string(), new: v.string() })),
    }),
  ),
  cursor: v.optional(v.string()),
});

/** The events that a webhook may be told of, as the page offers them. */
const EVENTS = ["push", "create", "delete", "status", "lock"] as const;
/** The deliveries of a webhook that are shown. */
const SHOWN_DELIVERIES = 5;

function General({ page, token, shown }: Section & { readonly shown: v.InferOutput<typeof settings> }) {
  return (
    <section>
      <h2>General</h2>
      <ActionForm to={settingsOf(page)} token={token} action="save">
        <p>
          <label>
            Description <input name="description" value={shown.description} maxlength={1000} size={50} />
          </label>
        </p>
        <p>
          <label>
            Visibility{" "}
            <select name="visibility">
              {["private", "public"].map((each) => (
                <option value={each} selected={each === shown.visibility}>
                  {each}
                </option>
              ))}
            </select>
          </label>
        </p>
        {shown.mirror === undefined ? (
          <>
            <p>
              <label>
                Default branch <input name="default_branch" value={shown.default_branch} size={30} />
              </label>
            </p>
            <p>
              <input type="hidden" name="knows_read_only" value="1" />
              <label>
                <input type="checkbox" name="read_only" checked={shown.read_only} /> Nobody may push
              </label>
            </p>
            <p>
              <input type="hidden" name="knows_sign" value="1" />
              <label>
                <input type="checkbox" name="sign" checked={shown.sign === "host"} /> The host signs every commit and
                annotated tag that is made here, with the tenant's signing key
              </label>
            </p>
          </>
        ) : null}
        <p>
          <button>Save</button>
        </p>
      </ActionForm>
    </section>
  );
}

type ShownHook = v.InferOutput<typeof hook> & v.InferOutput<typeof deliveries>;

function HookItem({ page, token, shown }: Section & { readonly shown: ShownHook }) {
  return (
    <li>
      <p>
        <bdi>{shown.url}</bdi> <span class="note">{shown.events.join(", ")}</span>
        {shown.active ? null : (
          <span class="label">off{shown.disabled_reason === null ? "" : `: ${shown.disabled_reason}`}</span>
        )}
      </p>
      {shown.deliveries.length === 0 ? null : (
        <ListTable label={`Deliveries to ${shown.url}`} heads={["When", "Event", "Result", "Again"]}>
          {shown.deliveries.slice(0, SHOWN_DELIVERIES).map((delivery) => (
            <tr>
              <td>{delivery.created_at}</td>
              <td>{delivery.event}</td>
              <td>{[delivery.state, delivery.status, delivery.error].filter((part) => part !== null).join(", ")}</td>
              <td>
                <ActionForm to={settingsOf(page)} token={token} action="redeliver">
                  <input type="hidden" name="hook" value={shown.id} />
                  <input type="hidden" name="delivery" value={delivery.id} />
                  <button aria-label={`Redeliver ${delivery.event} of ${delivery.created_at}`}>Redeliver</button>
                </ActionForm>
              </td>
            </tr>
          ))}
        </ListTable>
      )}
      <ActionForm to={settingsOf(page)} token={token} action="remove-hook">
        <input type="hidden" name="hook" value={shown.id} />
        <button aria-label={`Remove the webhook to ${shown.url}`}>Remove</button>
      </ActionForm>
    </li>
  );
}

function Hooks({ page, token, list }: Section & { readonly list: readonly ShownHook[] }) {
  return (
    <section>
      <h2>Webhooks</h2>
      <ul class="repositories">
        {list.map((shown) => (
          <HookItem page={page} token={token} shown={shown} />
        ))}
      </ul>
      <ActionForm to={settingsOf(page)} token={token} action="add-hook">
        <p>
          <label>
            Address <input type="url" name="url" required size={40} />
          </label>{" "}
          <label>
            Secret <input name="secret" autocomplete="off" size={20} />
          </label>
        </p>
        <p>
          {EVENTS.map((event) => (
            <>
              <label>
                <input type="checkbox" name="events" value={event} checked={event === "push"} /> {event}
              </label>{" "}
            </>
          ))}
          <button>Add</button>
        </p>
      </ActionForm>
    </section>
  );
}

function Danger(section: Section) {
  return (
    <section class="notice">
      <h2>Danger</h2>
      <ConfirmedForm {...section} action="rename" text="Give it another name; the old one leads to it" button="Rename">
        <label>
          New name <input name="name" required spellcheck={false} autocomplete="off" size={20} />
        </label>{" "}
      </ConfirmedForm>
      <ConfirmedForm {...section} action="delete" text="Delete the repository with all that is in it" button="Delete" />
    </section>
  );
}

/** Returns the webhooks with their newest deliveries. */
async function hooksOf(context: Context<PageEnv>, base: string): Promise<ShownHook[]> {
  const list = await apiJson(context, `${base}/hooks`, hooks);
  return await Promise.all(
    list.hooks.map(async (each) => {
      const path = `${base}/hooks/${encodeURIComponent(each.id)}/deliveries`;
      return { ...each, ...(await apiJson(context, path, deliveries)) };
    }),
  );
}

/** Answers with the settings. */
export async function settingsPage(context: Context<PageEnv>): Promise<Response> {
  return await administered(context, async (page) => {
    const base = apiPath(page);
    const [shown, list] = await Promise.all([apiJson(context, base, settings), hooksOf(context, base)]);
    return await settingsAnswer(context, page, {
      at: "/settings",
      body: (section) => (
        <>
          <General {...section} shown={shown} />
          <Hooks {...section} list={list} />
          <Danger {...section} />
        </>
      ),
    });
  });
}

function shownMove({ old, new: value }: { readonly old: string; readonly new: string }): string {
  const isNone = (oid: string): boolean => /^0+$/.test(oid);
  if (isNone(old)) return `made, ${value.slice(0, 10)}`;
  return isNone(value) ? `deleted, was ${old.slice(0, 10)}` : `${old.slice(0, 10)} to ${value.slice(0, 10)}`;
}

/** Answers with the log of refs. */
export async function reflogPage(context: Context<PageEnv>): Promise<Response> {
  return await administered(context, async (page) => {
    const { tenant, repo } = shownNames(page.name);
    const cursor = context.req.query("cursor");
    const query = cursor === undefined ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const log = await apiJson(context, `/repos/${tenant}/${repo}/reflog${query}`, reflog);
    return await settingsAnswer(context, page, {
      at: "/reflog",
      body: ({ token }) => (
        <>
          <h2>Who moved what</h2>
          {log.pushes.length === 0 ? <p class="note">Nothing has been pushed.</p> : null}
          <ul class="repositories">
            {log.pushes.map(({ id, actor, actor_name: name, at, updates }) => (
              <li>
                <p>
                  <bdi>{name ?? actor}</bdi>, <time datetime={at}>{at.slice(0, 19).replace("T", " ")} UTC</time>
                </p>
                <ul>
                  {updates.map((update) => (
                    <li>
                      <bdi>{update.ref}</bdi>: {shownMove(update)}
                    </li>
                  ))}
                </ul>
                <ActionForm to={settingsOf(page)} token={token} action="restore">
                  <input type="hidden" name="push" value={String(id)} />
                  <button aria-label={`Take it back: push ${id}`}>Take it back</button>
                </ActionForm>
              </li>
            ))}
          </ul>
          <Pager href={cursorLink(log.cursor)} words="Older" />
        </>
      ),
    });
  });
}
