/**
 * `/{tenant}/{repo}/settings/mirror`: the upstream that a repository follows, and how its syncs go.
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

const time = v.nullable(v.string());
const mirrorState = v.object({
  upstream: v.string(),
  interval: v.number(),
  refspecs: v.array(v.string()),
  policy: v.string(),
  credentials: v.boolean(),
  hook: v.boolean(),
  last_attempt: time,
  last_sync: time,
  last_change: time,
  last_error: time,
  left_out: v.nullable(v.object({ refs: v.number(), examples: v.array(v.string()), why: v.string() })),
  failures: v.number(),
  next_sync: time,
  syncing: v.boolean(),
  bytes: v.number(),
  objects: v.number(),
  progress: time,
});
type MirrorState = v.InferOutput<typeof mirrorState>;

const POLICIES = {
  follow: "follow it: deleted and rewritten here, too",
  keep: "keep what it deletes",
  stop: "stop where it rewrites history",
} as const;
const HOUR = 3600;

function State({ page, token, state }: Section & { readonly state: MirrorState }) {
  const facts: readonly (readonly [string, string | null])[] = [
    ["Last tried", state.last_attempt],
    ["In step as of", state.last_sync ?? "never"],
    ["Last change", state.last_change],
    ["Next sync", state.syncing ? "under way" : (state.next_sync ?? "when it is asked for")],
    ["Progress", state.progress],
    ["Failures in a row", state.failures === 0 ? null : shownCount(state.failures)],
    ["Last error", state.last_error],
    ["Taken so far", `${shownCount(state.objects)} objects, ${shownSize(state.bytes)}`],
    ["Left out", state.left_out === null ? null : `${shownCount(state.left_out.refs)} refs: ${state.left_out.why}`],
  ];
  return (
    <section>
      <h2>How it goes</h2>
      <dl class="facts">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <>
              <dt>{name}</dt>
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </>
          ),
        )}
      </dl>
      <ActionForm to={settingsOf(page)} token={token} action="sync">
        <button>Sync now</button>
      </ActionForm>
    </section>
  );
}

function Credentials({ state }: { readonly state: MirrorState | undefined }) {
  const kept = state?.credentials === true ? "Some are kept." : "None are kept.";
  return (
    <fieldset>
      <legend>Credentials for the upstream</legend>
      <p class="note">{kept} Fields that stay empty change nothing. A token goes without name and password.</p>
      <p>
        <label>
          Name <input name="username" autocomplete="off" size={16} />
        </label>{" "}
        <label>
          Password <input type="password" name="password" autocomplete="new-password" size={16} />
        </label>{" "}
        <label>
          Token <input type="password" name="upstream_token" autocomplete="new-password" size={24} />
        </label>
      </p>
      <p>
        <label>
          Secret of its webhook <input type="password" name="hook_secret" autocomplete="new-password" size={24} />
        </label>{" "}
        <label>
          <input type="checkbox" name="forget" value="1" /> Forget all of them
        </label>
      </p>
    </fieldset>
  );
}

function Settings({ page, token, state }: Section & { readonly state: MirrorState | undefined }) {
  return (
    <section>
      <h2>{state === undefined ? "Make it a mirror" : "What it follows"}</h2>
      {state === undefined ? (
        <p class="note">An empty repository can become a read-only mirror of another one, and follow it.</p>
      ) : null}
      <ActionForm to={settingsOf(page)} token={token} action="save-mirror">
        <p>
          <label>
            Upstream <input type="url" name="upstream" required value={state?.upstream} size={50} />
          </label>
        </p>
        <p>
          <label>
            Seconds between syncs (0 for none){" "}
            <input type="number" name="interval" min={0} value={String(state?.interval ?? HOUR)} />
          </label>{" "}
          <label>
            Where the upstream rewrites history{" "}
            <select name="policy">
              {Object.entries(POLICIES).map(([policy, text]) => (
                <option value={policy} selected={policy === (state?.policy ?? "follow")}>
                  {text}
                </option>
              ))}
            </select>
          </label>
        </p>
        {state === undefined ? null : (
          <p>
            <label>
              Refs that it takes, one refspec per line{" "}
              <textarea name="refspecs" rows={3} cols={50} spellcheck={false}>
                {state.refspecs.join("\n")}
              </textarea>
            </label>
          </p>
        )}
        <Credentials state={state} />
        <p>
          <button>{state === undefined ? "Make it a mirror" : "Save"}</button>
        </p>
      </ActionForm>
    </section>
  );
}

/** Answers with the page. */
export async function mirrorPage(context: Context<PageEnv>): Promise<Response> {
  return await administered(context, async (page) => {
    const isMirror = page.record.mirror !== undefined;
    const state = isMirror ? await apiJson(context, `${apiPath(page)}/mirror`, mirrorState) : undefined;
    return await settingsAnswer(context, page, {
      at: "/settings/mirror",
      body: (section) => (
        <>
          {state === undefined ? null : <State {...section} state={state} />}
          <Settings {...section} state={state} />
          {state === undefined ? null : (
            <section class="notice">
              <h2>Danger</h2>
              <ConfirmedForm
                {...section}
                action="stop-mirror"
                text="Follow the upstream no longer, and take pushes from now on"
                button="Stop mirroring"
              />
            </section>
          )}
        </>
      ),
    });
  });
}
