/**
 * `/api/v1/repos/{tenant}/{repo}/activity`: how many commits there were in each week, and by whom.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { type Contributor, countActivity, mailmapOf, weekBegins } from "../../browse/activity.ts";
import { CommitLog } from "../../browse/commit-log.ts";
import { peelToCommit } from "../../browse/revision.ts";
import { toHex } from "../../bytes/hex.ts";
import { found } from "../../http/content.ts";
import { dateText } from "../../object/identity.ts";
import type { ApiEnv } from "../api-host.ts";
import { namedBytes } from "./content-json.ts";
import { atRequestedPath, streamedJson } from "./content-request.ts";
import { formatLogCursor, resumedLog } from "./log-cursor.ts";

const DATE_CHARACTERS = 10;

function timeText(time: number): string | null {
  return dateText({ name: "", email: "", time, zone: "+0000" });
}

function contributorJson({ name, email, commits, first, last }: Contributor): object {
  return { name, email, commits, first: timeText(first), last: timeText(last) };
}

async function* contributorsJson(contributors: readonly Contributor[]): AsyncGenerator<object, undefined> {
  for (const contributor of contributors) yield contributorJson(contributor);
}

/** Answers with the activity of the commits of a page. */
export async function showActivity(context: Context<ApiEnv>): Promise<Response> {
  return await atRequestedPath(context, async (session, object) => {
    const { path } = object;
    const resumed = await resumedLog(context, session, path);
    const tip = resumed?.tip ?? found(await peelToCommit(session, object)).name;
    const log = resumed?.log ?? (await CommitLog.start(session, tip, path));
    const activity = await countActivity(session, log, await mailmapOf(session, tip));
    const position = log.position();
    return await streamedJson(context, session, async (json) => {
      await json.member("commit", toHex(tip));
      for (const [member, value] of Object.entries(namedBytes("path", path))) await json.member(member, value);
      await json.member("commits", activity.commits);
      const weeks = [...activity.weeks].sort(([a], [b]) => a - b);
      const weeksJson = weeks.map(([week, commits]) => {
        return { week: timeText(weekBegins(week))?.slice(0, DATE_CHARACTERS) ?? null, commits };
      });
      await json.member("weeks", weeksJson);
      await json.list("contributors", contributorsJson(activity.contributors));
      if (position !== undefined) await json.cursor(formatLogCursor(position, path));
      await json.end();
    });
  });
}
