/**
 * `/-/admin`: the deployment, for its operator.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import { Problem } from "../http/problem.ts";
import { apiJson, NOTHING_SHOWN } from "./api-json.ts";
import { costsOf, shownAmount } from "./costs.ts";
import { type HostStatus, SHOWN_DAYS } from "./host-status.ts";
import { DeadJobs, lettersOf, type ShownLetters } from "./dead-letters.tsx";
import { formTokenOf, pageAnswer } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { cursorLink, Pager } from "./pager.tsx";
import { Plot } from "./plot.tsx";
import { shownAge, shownCount, shownSize } from "./texts.ts";
import { ListTable } from "./list-table.tsx";

/** The tenants of a page: each is asked for its usage. */
const PAGE_TENANTS = 25;
/** The failing mirrors that are shown. */
const SHOWN_MIRRORS = 50;
const DAY = 24 * 3600 * 1000;

const tenants = v.object({ tenants: v.array(v.object({ name: v.string() })), cursor: v.optional(v.string()) });
const day = v.object({
  date: v.string(),
  requests: v.number(),
  clones: v.number(),
  fetches: v.number(),
  pushes: v.number(),
  bytes_in: v.number(),
  bytes_out: v.number(),
  ms: v.number(),
});
const usage = v.object({
  stored: v.object({ git_bytes: v.number(), lfs_bytes: v.number(), objects: v.number() }),
  days: v.array(day),
});
const mirrors = v.object({
  mirrors: v.array(
    v.object({
      repository: v.string(),
      failures: v.number(),
      last_sync: v.nullable(v.string()),
      last_error: v.nullable(v.string()),
    }),
  ),
  cursor: v.optional(v.string()),
});

type Day = v.InferOutput<typeof day>;
type TenantUsage = v.InferOutput<typeof usage> & { readonly name: string };
type Mirrors = v.InferOutput<typeof mirrors>;

const COUNTS = ["requests", "clones", "fetches", "pushes", "bytes_in", "bytes_out", "ms"] as const;

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** Returns the sums of some days. */
function sumOf(days: readonly Day[]): Readonly<Record<(typeof COUNTS)[number], number>> {
  const sums = { requests: 0, clones: 0, fetches: 0, pushes: 0, bytes_in: 0, bytes_out: 0, ms: 0 };
  for (const each of days) for (const name of COUNTS) sums[name] += each[name];
  return sums;
}

/** Outcomes of requests by whose fault they are: the host's, or that of whoever asks. */
const FAULTS = ["failed", "broken"];
const REFUSALS = ["refused", "denied", "rejected"];

/** Returns the days that are shown. */
function shownDates(now: number): readonly string[] {
  return Array.from({ length: SHOWN_DAYS }, (_, at) => dateOf(now - (SHOWN_DAYS - 1 - at) * DAY));
}

/** The plots of how the requests of the last days ended, of the whole deployment. */
function Errors({ outcomes, now }: { readonly outcomes: HostStatus["outcomes"]; readonly now: number }) {
  const bars = (wanted: readonly string[]) =>
    shownDates(now).map((date) => {
      const own = outcomes.filter(({ day: at, outcome }) => dateOf(at * DAY) === date && wanted.includes(outcome));
      return { label: date, value: own.reduce((sum, { requests }) => sum + requests, 0) };
    });
  return (
    <div class="plots">
      <Plot title="Errors of the host" bars={bars(FAULTS)} text={shownCount} />
      <Plot title="Refused requests" bars={bars(REFUSALS)} text={shownCount} />
      <Plot title="Clients that left" bars={bars(["gone"])} text={shownCount} />
    </div>
  );
}

/** The plots of what was done on the last days, by all tenants of the page together. */
function Plots({ all, now }: { readonly all: readonly TenantUsage[]; readonly now: number }) {
  const dates = shownDates(now);
  const days = all.flatMap((each) => each.days);
  const byDate = dates.map((date) => ({ date, sums: sumOf(days.filter((each) => each.date === date)) }));
  const bars = (value: (sums: ReturnType<typeof sumOf>) => number) =>
    byDate.map(({ date, sums }) => ({ label: date, value: value(sums) }));
  return (
    <div class="plots">
      <Plot title="Requests" bars={bars(({ requests }) => requests)} text={shownCount} />
      <Plot title="Clones" bars={bars(({ clones }) => clones)} text={shownCount} />
      <Plot title="Fetches" bars={bars(({ fetches }) => fetches)} text={shownCount} />
      <Plot title="Pushes" bars={bars(({ pushes }) => pushes)} text={shownCount} />
      <Plot title="Bytes sent" bars={bars((sums) => sums.bytes_out)} text={shownSize} />
      <Plot title="Bytes received" bars={bars((sums) => sums.bytes_in)} text={shownSize} />
      <Plot
        title="Time per request"
        bars={bars(({ ms, requests }) => (requests === 0 ? 0 : ms / requests))}
        text={(ms) => `${Math.round(ms)} ms`}
      />
    </div>
  );
}

function Tenants({ all, month }: { readonly all: readonly TenantUsage[]; readonly month: string }) {
  if (all.length === 0) return <p class="note">There is no tenant yet.</p>;
  return (
    <ListTable
      label="Tenants"
      caption="Tenants and what they used this month"
      heads={["Tenant", "In git", "In Git LFS", "Objects", "Requests this month", "Sent", "Received"]}
    >
      {all.map(({ name, stored, days }) => {
        const sums = sumOf(days.filter(({ date }) => date.startsWith(month)));
        return (
          <tr>
            <td>
              <a href={`/${name}`}>
                <bdi>{name}</bdi>
              </a>
            </td>
            <td>{shownSize(stored.git_bytes)}</td>
            <td>{shownSize(stored.lfs_bytes)}</td>
            <td>{shownCount(stored.objects)}</td>
            <td>{shownCount(sums.requests)}</td>
            <td>{shownSize(sums.bytes_out)}</td>
            <td>{shownSize(sums.bytes_in)}</td>
          </tr>
        );
      })}
    </ListTable>
  );
}

/** Returns the part of this month that has passed. */
function passedOf(now: number): number {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const begin = Date.UTC(year, month);
  return (now - begin) / (Date.UTC(year, month + 1) - begin);
}

function Costs({ all, now }: { readonly all: readonly TenantUsage[]; readonly now: number }) {
  const month = dateOf(now).slice(0, 7);
  const sums = sumOf(all.flatMap(({ days }) => days.filter(({ date }) => date.startsWith(month))));
  const storedBytes = all.reduce((sum, { stored }) => sum + stored.git_bytes + stored.lfs_bytes, 0);
  const costs = costsOf({ ...sums, storedBytes, passed: passedOf(now) });
  const total = costs.reduce((sum, { amount }) => sum + amount, 0);
  return (
    <section>
      <h2>Costs so far this month</h2>
      <dl class="facts">
        {[...costs, { name: "Together", amount: total }].map(({ name, amount }) => (
          <>
            <dt>{name}</dt>
            <dd>{shownAmount(amount)}</dd>
          </>
        ))}
      </dl>
      <p class="note">
        An estimate, of the tenants above: what operations cost by the price table of the documentation, in US dollars.
        What plans include is not taken off, and the plan itself is not in it.
      </p>
    </section>
  );
}

function FailingMirrors({ list }: { readonly list: Mirrors }) {
  return (
    <section>
      <h2>Mirrors that fail</h2>
      {list.mirrors.length === 0 ? (
        <p class="note">No mirror of those that were asked for fails.</p>
      ) : (
        <ListTable label="Mirrors that fail" heads={["Mirror", "Failures in a row", "In step as of", "Error"]}>
          {list.mirrors.map((mirror) => (
            <tr>
              <td>
                <a href={`/${mirror.repository}/settings/mirror`}>
                  <bdi>{mirror.repository}</bdi>
                </a>
              </td>
              <td>{shownCount(mirror.failures)}</td>
              <td>{mirror.last_sync ?? "never"}</td>
              <td>
                <bdi>{mirror.last_error}</bdi>
              </td>
            </tr>
          ))}
        </ListTable>
      )}
      {list.cursor === undefined ? null : <p class="note">There are more: the API lists them all.</p>}
    </section>
  );
}

/** Returns the counters of this name, with the label of each. */
function countersOf(counters: HostStatus["counters"], name: string): (readonly [string, number])[] {
  const own = Object.entries(counters).filter(([key]) => key.startsWith(`${name}{`));
  return own
    .map(([key, value]) => [Array.from(key.matchAll(/"([^"]*)"/g), ([, text]) => text).join(", "), value] as const)
    .toSorted(([, a], [, b]) => b - a);
}

function Counters({ title, of }: { readonly title: string; readonly of: readonly (readonly [string, number])[] }) {
  if (of.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <dl class="facts">
        {of.map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{shownCount(value)}</dd>
          </>
        ))}
      </dl>
    </>
  );
}

function Jobs({
  status,
  now,
  letters,
  form,
}: {
  readonly status: HostStatus;
  readonly now: number;
  readonly letters: ShownLetters;
  readonly form: string;
}) {
  const age = (oldest: number | undefined): string =>
    oldest === undefined ? "" : `, the oldest sent ${shownAge(Math.floor(oldest / 1000), Math.floor(now / 1000))}`;
  return (
    <section>
      <h2>Jobs</h2>
      <dl class="facts">
        {status.queues.map(({ name, waiting, oldest }) => (
          <>
            <dt>{name}</dt>
            <dd>
              {waiting === undefined
                ? "the platform does not tell how many wait"
                : `${shownCount(waiting)} wait${age(oldest)}`}
            </dd>
          </>
        ))}
      </dl>
      <DeadJobs list={letters} form={form} />
      <Counters title="Jobs so far" of={countersOf(status.counters, "thinpack_jobs_total")} />
      <Counters title="Requests so far" of={countersOf(status.counters, "thinpack_requests_total")} />
    </section>
  );
}

/** Returns the usage of a tenant; nothing where it was deleted meanwhile. */
async function usageOf(context: Context<PageEnv>, name: string, from: string): Promise<readonly TenantUsage[]> {
  try {
    return [{ name, ...(await apiJson(context, `/tenants/${name}/usage?from=${from}`, usage)) }];
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return [];
    throw error;
  }
}

/** Answers with the page. To everybody but the operator it is missing. */
export async function adminPage(context: Context<PageEnv>): Promise<Response> {
  const { principal } = await context.var.host.identify();
  if (principal.kind === "invalid") throw new Problem(401, NOTHING_SHOWN);
  if (principal.kind !== "operator") throw new Problem(404, "There is nothing here.");
  const now = Date.now();
  const month = dateOf(now).slice(0, 7);
  const oldest = dateOf(now - (SHOWN_DAYS - 1) * DAY);
  const from = oldest < `${month}-01` ? oldest : `${month}-01`;
  const cursor = context.req.query("cursor");
  const after = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
  const [list, failing, letters, status] = await Promise.all([
    apiJson(context, `/tenants?limit=${PAGE_TENANTS}${after}`, tenants),
    apiJson(context, `/mirrors?state=failing&limit=${SHOWN_MIRRORS}`, mirrors),
    lettersOf(context),
    context.var.page.status(),
  ]);
  const all = (await Promise.all(list.tenants.map(async ({ name }) => await usageOf(context, name, from)))).flat();
  return await pageAnswer(context, {
    title: "The deployment - thinpack",
    crumbs: [{ text: "admin", href: "/-/admin" }],
    body: (
      <>
        <h1>The deployment</h1>
        <p class="note">
          thinpack {status.version}. The counters for a monitor are at <code>/metrics</code>.
        </p>
        <section>
          <h2>Usage</h2>
          <Plots all={all} now={now} />
        </section>
        <section>
          <h2>Errors</h2>
          <Errors outcomes={status.outcomes} now={now} />
          <p class="note">Of all requests to the deployment, with those that are of no tenant.</p>
        </section>
        <section>
          <h2>Tenants</h2>
          <Tenants all={all} month={month} />
          <Pager href={cursorLink(list.cursor)} words="More tenants" />
        </section>
        <Costs all={all} now={now} />
        <FailingMirrors list={failing} />
        <Jobs status={status} now={now} letters={letters} form={formTokenOf(context)} />
      </>
    ),
  });
}
