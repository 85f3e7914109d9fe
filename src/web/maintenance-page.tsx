/**
 * `/{tenant}/{repo}/settings/maintenance`: what a repository's packs are like, and what maintenance did.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { ActionForm } from "./action-form.tsx";
import { apiJson } from "./api-json.ts";
import { ConfirmedForm } from "./confirmed-form.tsx";
import type { PageEnv } from "./page-host.ts";
import { administered, apiPath, type Section, settingsAnswer, settingsOf } from "./settings-frame.tsx";
import { shownCount, shownSize } from "./texts.ts";
import { ListTable } from "./list-table.tsx";

const sums = v.object({ packs: v.number(), objects: v.number(), bytes: v.number() });
const run = v.object({
  step: v.string(),
  outcome: v.string(),
  at: v.string(),
  seconds: v.number(),
  packs: v.number(),
  objects: v.number(),
  bytes_read: v.number(),
  bytes_written: v.number(),
  error: v.nullable(v.string()),
});
const maintenance = v.object({
  total: sums,
  unmarked: sums,
  unreachable: sums,
  tip_packs: sums,
  borrowed: sums,
  commit_graph: v.object({ layers: v.number(), commits: v.number(), filters: v.number(), bytes: v.number() }),
  due: v.nullable(v.object({ packs: v.number(), reason: v.string() })),
  purging: v.boolean(),
  waiting_for_forks: v.number(),
  running_since: v.nullable(v.string()),
  runs: v.array(run),
});
type State = v.InferOutput<typeof maintenance>;

const REASONS: Readonly<Record<string, string>> = {
  asked: "it was asked for",
  packs: "there are many packs",
  "commit-graph": "the commit-graph lacks commits",
};

function sumText({ packs, objects, bytes }: v.InferOutput<typeof sums>): string {
  return `${shownCount(objects)} objects in ${shownCount(packs)} pack${packs === 1 ? "" : "s"}, ${shownSize(bytes)}`;
}

function Figures({ state }: { readonly state: State }) {
  const { commit_graph: graph, due, running_since: since } = state;
  const facts: readonly (readonly [string, string | null])[] = [
    ["All", sumText(state.total)],
    ["Of these, maybe unreachable", state.unmarked.packs === 0 ? null : sumText(state.unmarked)],
    ["Kept though nothing reaches it", sumText(state.unreachable)],
    ["Copies for shallow clones", state.tip_packs.packs === 0 ? null : sumText(state.tip_packs)],
    ["Borrowed from other repositories", state.borrowed.packs === 0 ? null : sumText(state.borrowed)],
    [
      "Commit-graph",
      `${shownCount(graph.commits)} commits, ${shownCount(graph.filters)} with the paths that they changed, ${shownSize(graph.bytes)}`,
    ],
    ["Due", due === null ? "nothing" : (REASONS[due.reason] ?? due.reason)], // A newer reason is shown as it is.
    ["Under way", since === null ? null : `since ${since}`],
    ["Purge", state.purging ? "under way" : null],
    ["Forks that are waited for", state.waiting_for_forks === 0 ? null : shownCount(state.waiting_for_forks)],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) =>
        value === null ? null : (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ),
      )}
    </dl>
  );
}

function Runs({ runs }: Pick<State, "runs">) {
  if (runs.length === 0) return <p class="note">Nothing has been done yet.</p>;
  return (
    <ListTable label="The last steps" heads={["When", "Step", "Outcome", "Seconds", "Objects", "Read", "Written"]}>
      {runs.map((each) => (
        <tr>
          <td>{each.at}</td>
          <td>{each.step}</td>
          <td>{each.error === null ? each.outcome : `${each.outcome}: ${each.error}`}</td>
          <td>{each.seconds.toFixed(1)}</td>
          <td>{shownCount(each.objects)}</td>
          <td>{shownSize(each.bytes_read)}</td>
          <td>{shownSize(each.bytes_written)}</td>
        </tr>
      ))}
    </ListTable>
  );
}

function Page({ state, isMirror, ...section }: Section & { readonly state: State; readonly isMirror: boolean }) {
  const { page, token } = section;
  return (
    <>
      <section>
        <h2>Packs</h2>
        <Figures state={state} />
        <ActionForm to={settingsOf(page)} token={token} action="maintain">
          <button>Run it now</button>
        </ActionForm>
      </section>
      <section>
        <h2>The last steps</h2>
        <Runs runs={state.runs} />
      </section>
      {isMirror ? null : (
        <section class="notice">
          <h2>Danger</h2>
          <ConfirmedForm {...section} action="purge" text="Delete at once what nothing reaches" button="Purge" />
        </section>
      )}
    </>
  );
}

/** Answers with the page. */
export async function maintenancePage(context: Context<PageEnv>): Promise<Response> {
  return await administered(context, async (page) => {
    const state = await apiJson(context, `${apiPath(page)}/maintenance`, maintenance);
    const isMirror = page.record.mirror !== undefined;
    return await settingsAnswer(context, page, {
      at: "/settings/maintenance",
      body: (section) => <Page {...section} state={state} isMirror={isMirror} />,
    });
  });
}
