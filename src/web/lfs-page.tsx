/**
 * `/{tenant}/{repo}/settings/lfs`: what a repository stores in Git LFS, what pushes have to heed, and who locked what.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { ActionForm } from "./action-form.tsx";
import { apiJson, lfsJson } from "./api-json.ts";
import type { PageEnv } from "./page-host.ts";
import { cursorLink, Pager } from "./pager.tsx";
import { administered, apiPath, type Section, settingsAnswer, settingsOf } from "./settings-frame.tsx";
import { shownSize } from "./texts.ts";
import { ListTable } from "./list-table.tsx";

const usage = v.object({ stored: v.object({ git_bytes: v.number(), lfs_bytes: v.number() }) });
const settings = v.object({
  require_lfs_objects: v.optional(v.boolean(), false),
  lfs_above: v.optional(v.nullable(v.number()), null),
});
const locks = v.object({
  locks: v.array(
    v.object({ id: v.string(), path: v.string(), locked_at: v.string(), owner: v.object({ name: v.string() }) }),
  ),
  next_cursor: v.optional(v.string()),
});
/** The locks of a page. */
const PAGE_LOCKS = 100;

function Rules({ page, token, shown }: Section & { readonly shown: v.InferOutput<typeof settings> }) {
  return (
    <section>
      <h2>Pushes</h2>
      <ActionForm to={settingsOf(page)} token={token} action="save-lfs">
        <p>
          <label>
            <input type="checkbox" name="require_lfs_objects" value="1" checked={shown.require_lfs_objects} /> Refuse
            pointers whose objects are not here
          </label>
        </p>
        <p>
          <label>
            Bytes above which a file has to go to Git LFS; empty for no bound{" "}
            <input
              type="number"
              name="lfs_above"
              min={1}
              value={shown.lfs_above === null ? "" : String(shown.lfs_above)}
            />
          </label>
        </p>
        <p>
          <button>Save</button>
        </p>
      </ActionForm>
    </section>
  );
}

function Locks({ page, token, list }: Section & { readonly list: v.InferOutput<typeof locks> }) {
  return (
    <section>
      <h2>Locks</h2>
      {list.locks.length === 0 ? (
        <p class="note">No file is locked.</p>
      ) : (
        <ListTable label="Locks" heads={["File", "Locked by", "Since", "Unlock"]}>
          {list.locks.map((lock) => (
            <tr>
              <td>
                <bdi>{lock.path}</bdi>
              </td>
              <td>
                <bdi>{lock.owner.name}</bdi>
              </td>
              <td>{lock.locked_at}</td>
              <td>
                <ActionForm to={settingsOf(page)} token={token} action="unlock">
                  <input type="hidden" name="lock" value={lock.id} />
                  <button aria-label={`Unlock ${lock.path}`}>Unlock</button>
                </ActionForm>
              </td>
            </tr>
          ))}
        </ListTable>
      )}
      <Pager href={cursorLink(list.next_cursor)} />
    </section>
  );
}

/** Answers with the page. */
export async function lfsPage(context: Context<PageEnv>): Promise<Response> {
  return await administered(context, async (page) => {
    const path = apiPath(page);
    const cursor = context.req.query("cursor");
    const after = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const [shown, { stored }, list] = await Promise.all([
      apiJson(context, path, settings),
      apiJson(context, `${path}/usage?${today()}`, usage),
      lfsJson(context, page.name, `/locks?limit=${PAGE_LOCKS}${after}`, locks),
    ]);
    return await settingsAnswer(context, page, {
      at: "/settings/lfs",
      body: (section) => (
        <>
          <section>
            <h2>Stored</h2>
            <p>
              {shownSize(stored.lfs_bytes)} in Git LFS, beside {shownSize(stored.git_bytes)} in git.
            </p>
          </section>
          <Rules {...section} shown={shown} />
          <Locks {...section} list={list} />
        </>
      ),
    });
  });
}

/** Asks for no other days than today: what is stored is shown with them. */
function today(): string {
  const date = new Date().toISOString().slice(0, 10);
  return `from=${date}&to=${date}`;
}
