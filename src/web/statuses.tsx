/**
 * Statuses of commits, as pages show them: all of one commit, and in lists what they say together.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { combinedState, type CommitStatus, type StatusCounts } from "../refs/commit-statuses.ts";
import type { PageEnv } from "./page-host.ts";
import type { RepositoryPage } from "./repository-request.ts";
import { ListTable } from "./list-table.tsx";

/** Returns the statuses of a commit that the page shows. Where there never was one, nothing is asked. */
export async function statusesOf(
  context: Context<PageEnv>,
  { name, record }: RepositoryPage,
  oid: string,
): Promise<readonly CommitStatus[]> {
  if (record.statusChanges === undefined) return [];
  const answer = await context.var.host.statuses(name).statuses({ kind: "list", id: record.id, oid });
  return answer.kind === "listed" ? answer.statuses : [];
}

/** Counts the statuses of the commits that a page lists. */
export async function statusCountsOf(
  context: Context<PageEnv>,
  { name, record }: RepositoryPage,
  oids: readonly string[],
): Promise<ReadonlyMap<string, StatusCounts>> {
  if (record.statusChanges === undefined) return new Map();
  const answer = await context.var.host.statuses(name).statuses({ kind: "count", id: record.id, oids });
  const commits = answer.kind === "counted" ? answer.commits : [];
  return new Map(commits.map(({ oid, counts }) => [oid, counts]));
}

/** What all statuses of a commit say together, and the counts where somebody points at it. */
export function StatusBadge({ counts }: { readonly counts: StatusCounts | undefined }) {
  const state = counts && combinedState(counts);
  if (counts === undefined || state === undefined) return null;
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return (
    <span class={`check ${state}`} title={parts.map(([name, count]) => `${name}: ${count}`).join(", ")}>
      {state}
    </span>
  );
}

/** The statuses of one commit. */
export function Statuses({ statuses }: { readonly statuses: readonly CommitStatus[] }) {
  if (statuses.length === 0) return null;
  return (
    <ListTable label="Statuses" heads={["Context", "Status", "Description"]}>
      {statuses.map(({ context, state, description, targetUrl }) => (
        <tr>
          <td>
            {targetUrl === "" ? (
              <bdi>{context}</bdi>
            ) : (
              <a href={targetUrl} rel="nofollow noopener">
                {context}
              </a>
            )}
          </td>
          <td>
            <span class={`check ${state}`}>{state}</span>
          </td>
          <td>
            <bdi>{description}</bdi>
          </td>
        </tr>
      ))}
    </ListTable>
  );
}
