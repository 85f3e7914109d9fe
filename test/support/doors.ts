/**
 * The doors to a repository: every route that names one, and what it asks before it answers.
 *
 * @packageDocumentation
 */
import type * as visibleLog from "../../src/refs/visible-log.ts";
import type * as view from "../../src/repository/view.ts";

/**
 * What a door asks before it answers. A function's name: whether what the request names may be seen. `refs`: it gives refs and what
 * they reach, from a snapshot. `settings`: it gives settings, less what the caller may not see. `administers` and `writes`: it is for
 * those who may do that. `lfs`: it gives Git LFS objects
 * that were uploaded to the repository, which stay for whoever knows their names. `nothing`: it has nothing to give.
 */
type Asks =
  | Exclude<keyof typeof view, "NO_SUCH_MOMENT" | "FOR_HAVES" | "FOR_CUTS">
  | keyof typeof visibleLog
  | "refs"
  | "settings"
  | "administers"
  | "writes"
  | "lfs"
  | "nothing";

/** Where the API has repositories. */
export const API = "/api/v1/repos/:tenant/:repo";
/** Where git has them, and pages. */
export const GIT = "/:tenant/:repo";

/** Where the facade has them. */
export const FACADE = "/api/v3/repos/:tenant/:repo";
/** The doors of the facade in GitHub's shapes. What they change they ask the API to change. */
const FACADE_DOORS: Readonly<Record<string, readonly Asks[]>> = {
  [`GET ${FACADE}`]: ["settings"],
  [`PATCH ${FACADE}`]: ["administers"],
  [`DELETE ${FACADE}`]: ["administers"],
  [`GET ${FACADE}/branches`]: ["refs"],
  [`GET ${FACADE}/branches/:rev{[^]+}`]: ["refs"],
  [`GET ${FACADE}/branches/:rev{[^]+}/protection`]: ["nothing"],
  [`GET ${FACADE}/tags`]: ["refs"],
  [`GET ${FACADE}/commits`]: ["refs", "reachedByRefs"],
  [`GET ${FACADE}/commits/:rev{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${FACADE}/commits/:rev{[^]+}/status`]: ["refs", "reachedByRefs"],
  [`GET ${FACADE}/commits/:rev{[^]+}/statuses`]: ["refs", "reachedByRefs"],
  [`GET ${FACADE}/statuses/:rev{[^]+}`]: ["refs", "reachedByRefs"],
  [`POST ${FACADE}/statuses/:oid`]: ["writes"],
  [`GET ${FACADE}/compare/:revs{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${FACADE}/contents`]: ["refs", "reachedByRefs"],
  [`GET ${FACADE}/contents/:path{[^]+}`]: ["refs", "reachedByRefs"],
  [`PUT ${FACADE}/contents/:path{[^]+}`]: ["writes"],
  [`DELETE ${FACADE}/contents/:path{[^]+}`]: ["writes"],
  [`GET ${FACADE}/readme`]: ["refs", "reachedByRefs"],
  [`GET ${FACADE}/tarball`]: ["refs"],
  [`GET ${FACADE}/tarball/:rev{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${FACADE}/zipball`]: ["refs"],
  [`GET ${FACADE}/zipball/:rev{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${FACADE}/git/refs`]: ["refs"],
  [`GET ${FACADE}/git/ref/:rev{[^]+}`]: ["refs"],
  [`GET ${FACADE}/git/refs/:rev{[^]+}`]: ["refs"],
  [`GET ${FACADE}/git/matching-refs/:rev{[^]+}`]: ["refs"],
  [`POST ${FACADE}/git/refs`]: ["writes"],
  [`PATCH ${FACADE}/git/refs/:rev{[^]+}`]: ["writes"],
  [`DELETE ${FACADE}/git/refs/:rev{[^]+}`]: ["writes"],
  [`GET ${FACADE}/git/blobs/:oid`]: ["reachedByRefs"],
  [`POST ${FACADE}/git/blobs`]: ["writes"],
  [`POST ${FACADE}/git/trees`]: ["writes"],
  [`POST ${FACADE}/git/commits`]: ["writes"],
  [`POST ${FACADE}/git/tags`]: ["writes"],
  [`POST ${FACADE}/merges`]: ["writes"],
  [`POST ${FACADE}/merge-upstream`]: ["writes"],
  [`POST ${FACADE}/forks`]: ["refs", "allReachable"],
  [`GET ${FACADE}/git/trees/:rev{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${FACADE}/git/commits/:oid`]: ["reachedByRefs"],
  [`GET ${FACADE}/git/tags/:oid`]: ["reachedByRefs"],
  [`GET ${FACADE}/hooks`]: ["administers"],
  [`POST ${FACADE}/hooks`]: ["administers"],
  [`GET ${FACADE}/hooks/:hook`]: ["administers"],
  [`PATCH ${FACADE}/hooks/:hook`]: ["administers"],
  [`DELETE ${FACADE}/hooks/:hook`]: ["administers"],
  [`POST ${FACADE}/hooks/:hook/pings`]: ["administers"],
};

/** A door, and what it asks. Routes for all methods that only refuse are found by asking them. */
export const DOORS: Readonly<Record<string, readonly Asks[]>> = {
  [`GET ${API}`]: ["settings"],
  [`PUT ${API}`]: ["administers"],
  [`PATCH ${API}`]: ["administers"],
  [`DELETE ${API}`]: ["administers"],
  [`GET ${API}/refs`]: ["refs", "showsMoment"],
  [`GET ${API}/export`]: ["administers"],
  [`GET ${API}/export/:key{.+}`]: ["administers"],
  [`GET ${API}/reflog`]: ["administers"],
  [`POST ${API}/reflog/:id/restore`]: ["administers"],
  [`GET ${API}/push-certificates/:id`]: ["administers"],
  [`GET ${API}/tree/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${API}/blob/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${API}/commits`]: ["refs", "reachedByRefs"],
  [`GET ${API}/commits/:rev{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${API}/commits/:oid{[0-9a-f]+}/statuses`]: ["refs", "reachedByRefs"],
  [`POST ${API}/commits/:oid{[0-9a-f]+}/statuses`]: ["writes"],
  [`GET ${API}/compare/:revs{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${API}/diff/:revs{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${API}/last-changes/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${API}/blame/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${API}/activity/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${API}/search`]: ["refs", "reachedByRefs"],
  [`GET ${API}/files/:rev{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${API}/raw/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${API}/archive/:file{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${API}/deploy-keys`]: ["administers"],
  [`POST ${API}/deploy-keys`]: ["administers"],
  [`DELETE ${API}/deploy-keys/:id`]: ["administers"],
  [`GET ${API}/hooks`]: ["administers"],
  [`POST ${API}/hooks`]: ["administers"],
  [`GET ${API}/hooks/:hook`]: ["administers"],
  [`PATCH ${API}/hooks/:hook`]: ["administers"],
  [`DELETE ${API}/hooks/:hook`]: ["administers"],
  [`POST ${API}/hooks/:hook/pings`]: ["administers"],
  [`GET ${API}/hooks/:hook/deliveries`]: ["administers"],
  [`POST ${API}/hooks/:hook/deliveries/:delivery/redeliver`]: ["administers"],
  [`PUT ${API}/mirror`]: ["administers"],
  [`GET ${API}/mirror`]: ["administers"],
  [`DELETE ${API}/mirror`]: ["administers"],
  // It has a secret of its own, and answers that it has heard.
  [`POST ${API}/mirror/hook`]: ["nothing"],
  [`POST ${API}/mirror/sync`]: ["administers"],
  [`GET ${API}/events`]: ["eventsBeginning"],
  // It is worth as much as the events that it opens.
  [`POST ${API}/events/tickets`]: ["logBeginning"],
  [`POST ${API}/blobs`]: ["writes"],
  [`POST ${API}/blobs/read`]: ["refs", "reachedByRefs"],
  [`POST ${API}/commits`]: ["writes"],
  [`POST ${API}/merges`]: ["writes"],
  [`POST ${API}/cherry-picks`]: ["writes"],
  [`POST ${API}/reverts`]: ["writes"],
  [`GET ${API}/notes/:rev{[^]+}`]: ["refs", "reachedByRefs"],
  [`PUT ${API}/notes/:rev{[^]+}`]: ["writes"],
  [`POST ${API}/notes/:rev{[^]+}`]: ["writes"],
  [`DELETE ${API}/notes/:rev{[^]+}`]: ["writes"],
  [`POST ${API}/refs`]: ["writes"],
  [`PUT ${API}/refs/:name{[^]+}`]: ["writes"],
  [`DELETE ${API}/refs/:name{[^]+}`]: ["writes"],
  [`POST ${API}/tags`]: ["writes"],
  [`POST ${API}/uploads`]: ["writes"],
  [`GET ${API}/uploads/:upload`]: ["writes"],
  [`PUT ${API}/uploads/:upload/parts/:part`]: ["writes"],
  [`POST ${API}/uploads/:upload/complete`]: ["writes"],
  [`POST ${API}/uploads/:upload/lfs`]: ["writes"],
  [`DELETE ${API}/uploads/:upload`]: ["writes"],
  [`GET ${API}/usage`]: ["administers"],
  [`POST ${API}/forks`]: ["refs", "allReachable"],
  [`POST ${API}/sync`]: ["writes"],
  [`GET ${API}/maintenance`]: ["administers"],
  [`POST ${API}/maintenance`]: ["administers"],
  // Pages.
  [`GET ${GIT}`]: ["refs"],
  // These lead a form to another page, whatever there is.
  [`GET ${GIT}/tree`]: ["nothing"],
  [`GET ${GIT}/commits`]: ["nothing"],
  [`GET ${GIT}/activity`]: ["nothing"],
  [`GET ${GIT}/tree/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/blob/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/raw/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/blame/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/activity/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/commits/:rev_and_path{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/commit/:rev{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/compare/:revs{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/archive/:file{[^]+}`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/branches`]: ["refs"],
  [`GET ${GIT}/tags`]: ["refs"],
  [`GET ${GIT}/search`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/settings`]: ["administers"],
  [`POST ${GIT}/settings`]: ["administers"],
  [`GET ${GIT}/settings/rules`]: ["administers"],
  [`GET ${GIT}/settings/mirror`]: ["administers"],
  [`GET ${GIT}/settings/keys`]: ["administers"],
  [`GET ${GIT}/settings/lfs`]: ["administers"],
  [`GET ${GIT}/settings/maintenance`]: ["administers"],
  [`GET ${GIT}/reflog`]: ["administers"],
  [`GET ${GIT}/feed/commits`]: ["refs"],
  [`GET ${GIT}/feed/tags`]: ["refs"],
  // What these pages show, for a program: each asks for its page.
  [`GET ${GIT}/tree.json`]: ["nothing"],
  [`GET ${GIT}/commits.json`]: ["nothing"],
  [`GET ${GIT}/activity.json`]: ["nothing"],
  [`GET ${GIT}/branches.json`]: ["refs"],
  [`GET ${GIT}/tags.json`]: ["refs"],
  [`GET ${GIT}/search.json`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/settings.json`]: ["settings"],
  [`GET ${GIT}/settings/rules.json`]: ["settings"],
  [`GET ${GIT}/settings/mirror.json`]: ["administers"],
  [`GET ${GIT}/settings/keys.json`]: ["administers"],
  [`GET ${GIT}/settings/lfs.json`]: ["settings"],
  [`GET ${GIT}/settings/maintenance.json`]: ["administers"],
  [`GET ${GIT}/reflog.json`]: ["administers"],
  [`GET ${GIT}/feed/commits.json`]: ["refs"],
  [`GET ${GIT}/feed/tags.json`]: ["refs"],
  // Go's question, which is answered from the URL alone.
  [`GET ${GIT}/*`]: ["nothing"],
  [`GET ${GIT}/info/refs`]: ["refs", "showsMoment", "allReachable"],
  [`POST ${GIT}/git-upload-pack`]: ["refs", "showsMoment", "reachedByRefs", "visibleCommits"],
  [`GET ${GIT}/git-upload-pack`]: ["nothing"],
  [`POST ${GIT}/git-receive-pack`]: ["writes"],
  [`GET ${GIT}/git-receive-pack`]: ["nothing"],
  [`POST ${GIT}/git-upload-archive`]: ["refs", "reachedByRefs"],
  [`GET ${GIT}/git-upload-archive`]: ["nothing"],
  [`GET ${GIT}/HEAD`]: ["refs"],
  [`GET ${GIT}/objects/info/packs`]: ["wholePacks"],
  [`GET ${GIT}/objects/pack/:file`]: ["wholePacks"],
  [`GET ${GIT}/bundles`]: ["wholePacks"],
  [`GET ${GIT}/bundles/:file`]: ["wholePacks", "refs"],
  [`ALL ${GIT}/objects/info/alternates`]: ["nothing"],
  [`ALL ${GIT}/objects/info/http-alternates`]: ["nothing"],
  [`ALL ${GIT}/objects/:fan{[0-9a-f]{2}}/:rest{[0-9a-f]{38}|[0-9a-f]{62}}`]: ["nothing"],
  [`POST ${GIT}/info/lfs/objects/batch`]: ["lfs"],
  [`GET ${GIT}/info/lfs/objects/:oid`]: ["lfs"],
  [`PUT ${GIT}/info/lfs/objects/:oid`]: ["writes"],
  [`POST ${GIT}/info/lfs/objects/:oid/verify`]: ["writes"],
  // A lock holds for the whole repository: it names no object, and no ref.
  [`GET ${GIT}/info/lfs/locks`]: ["lfs"],
  [`POST ${GIT}/info/lfs/locks`]: ["writes"],
  [`POST ${GIT}/info/lfs/locks/verify`]: ["writes"],
  [`POST ${GIT}/info/lfs/locks/:id/unlock`]: ["writes"],
  [`ALL ${GIT}/info/lfs/*`]: ["nothing"],
  [`ALL ${GIT}/*`]: ["nothing"],
  ...FACADE_DOORS,
};
