/**
 * The part of the operator's page about jobs that failed in all their tries, and what its forms do.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { Problem } from "../http/problem.ts";
import { act, field } from "./actions.ts";
import { ActionForm } from "./action-form.tsx";
import { apiJson, NOTHING_SHOWN } from "./api-json.ts";
import { assertOwnForm, readForm } from "./form.ts";
import { ListTable } from "./list-table.tsx";
import type { PageEnv } from "./page-host.ts";
import { shownCount } from "./texts.ts";

/** The jobs that are shown. */
const SHOWN_LETTERS = 50;
const ADMIN = "/-/admin";
const LETTERS = "/admin/dead-letters";

const letters = v.object({
  dead_letters: v.array(
    v.object({
      id: v.number(),
      job: v.string(),
      repository: v.string(),
      times: v.number(),
      first_at: v.string(),
      last_at: v.string(),
    }),
  ),
  counts: v.record(v.string(), v.number()),
  cursor: v.optional(v.string()),
});

/** Jobs that were given up, as the API tells them. */
export type ShownLetters = v.InferOutput<typeof letters>;

/** Asks the API for the jobs that were given up last. */
export async function lettersOf(context: Context<PageEnv>): Promise<ShownLetters> {
  return await apiJson(context, `${LETTERS}?limit=${SHOWN_LETTERS}`, letters);
}

/** Shows a moment to the minute, in UTC. */
function shownMinute(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)}`;
}

/** The jobs that were given up: how many of each type, and a list with what can be done. */
export function DeadJobs({ list, form }: { readonly list: ShownLetters; readonly form: string }) {
  const counts = Object.entries(list.counts);
  return (
    <>
      <h3 id="given-up">Given up</h3>
      {counts.length === 0 ? (
        <p class="note">No job has failed in all its tries within 30 days.</p>
      ) : (
        <>
          <p>{counts.map(([job, count]) => `${shownCount(count)} ${job}`).join(", ")}.</p>
          <p class="note">
            Each failed in all its tries. Repositories have their jobs sent anew, so that nothing waits for them here;
            the log says what failed.
          </p>
          <ListTable
            label="Jobs that were given up"
            heads={["Job", "Repository", "Times", "First", "Last (UTC)", "Do"]}
          >
            {list.dead_letters.map((each) => (
              <tr>
                <td>{each.job}</td>
                <td>
                  <a href={`/${each.repository}`}>
                    <bdi>{each.repository}</bdi>
                  </a>
                </td>
                <td>{shownCount(each.times)}</td>
                <td>{shownMinute(each.first_at)}</td>
                <td>{shownMinute(each.last_at)}</td>
                <td>
                  <LetterForms id={each.id} what={`${each.job} of ${each.repository}`} form={form} />
                </td>
              </tr>
            ))}
          </ListTable>
          {list.cursor === undefined ? null : <p class="note">There are more: the API lists them all.</p>}
        </>
      )}
    </>
  );
}

function LetterForms({ id, what, form }: { readonly id: number; readonly what: string; readonly form: string }) {
  const actions = [
    ["redeliver", "Try again"],
    ["forget", "Forget"],
  ] as const;
  // A program that has a token sees the page, and has no session whose forms could be sent.
  if (form === "") return null;
  return (
    <>
      {actions.map(([action, word]) => (
        <ActionForm to={ADMIN} token={form} action={action} className="inline">
          <input type="hidden" name="id" value={String(id)} />
          <button aria-label={`${word}: ${what}`}>{word}</button>
        </ActionForm>
      ))}
    </>
  );
}

/** Has a job tried again, or forgets it. To everybody but the operator there is no such form. */
export async function adminAction(context: Context<PageEnv>): Promise<Response> {
  const { principal } = await context.var.host.identify();
  if (principal.kind === "invalid") throw new Problem(401, NOTHING_SHOWN);
  if (principal.kind !== "operator") throw new Problem(404, "There is nothing here.");
  const form = await readForm(context.req.raw);
  assertOwnForm(context, form);
  const path = `/${encodeURIComponent(field(form, "id"))}`;
  const isRetry = field(form, "action") === "redeliver";
  const request = isRetry ? { method: "POST", path: `${path}/redeliver` } : { method: "DELETE", path };
  await act(context, LETTERS, request);
  return context.redirect(`${ADMIN}#given-up`, 303);
}
