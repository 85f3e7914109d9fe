/**
 * The routes of the facade in GitHub's shapes, with what may stand in their paths, queries and bodies. It has no description of its own
 * that could be read; `test/fuzz/facade.test.ts` compares the list with the application's routes.
 *
 * @packageDocumentation
 */
import type { Schema } from "./json-schema.ts";

/** A route. */
export type FacadeRoute = {
  readonly method: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  /** The path below `/api/v3`, as the application has it, without the patterns of its parameters. */
  readonly path: string;
  /** What leads somewhere, by the parameters of the path, where it is not what other routes have there. */
  readonly at?: Readonly<Record<string, readonly string[]>>;
  /** Parameters of the query. */
  readonly query?: readonly string[];
  readonly body?: Schema;
};

const text = { type: "string" };
const flag = { type: "boolean" };
const optional = { anyOf: [text, { type: "null" }] };
const object = (properties: Readonly<Record<string, Schema>>, ...required: string[]): Schema => ({
  type: "object",
  properties,
  required,
});
const list = (items: Schema): Schema => ({ type: "array", items });

const person = object(
  { name: text, email: text, date: { enum: ["2023-11-15T00:13:20Z", "yesterday", ""] } },
  "name",
  "email",
);
const settings = { description: optional, private: flag, visibility: { enum: ["public", "private", "internal"] }, default_branch: text, archived: flag, name: text }; // prettier-ignore
const file = { message: text, content: { enum: ["bmV3Cg==", "", "%", "bm V3"] }, sha: optional, branch: optional, author: person, committer: person }; // prettier-ignore
const entry = object({ path: text, mode: { enum: ["100644", "100755", "040000", "160000", "120000", "0"] }, type: text, sha: optional, content: text }, "path", "mode"); // prettier-ignore
const hook = object({
  config: object({ url: { enum: ["https://receiver.invalid/x", "http://127.0.0.1/", "x", ""] }, content_type: { enum: ["json", "form"] }, secret: text, insecure_ssl: { enum: ["0", "1", 0] } }, "url"), // prettier-ignore
  events: list({ enum: ["push", "status", "ping", "nonsense"] }),
  active: flag,
});

const REPOSITORY = "/repos/:tenant/:repo";
const PAGE = ["page", "per_page"];
const REFS = { rev: ["heads/main", "heads/new", "tags/v1", "refs/heads/main", "heads"] };
const PATHS = { path: ["file.txt", "dir/new.txt", "new.txt", "dir"] };

/** All routes. */
export const FACADE_ROUTES: readonly FacadeRoute[] = [
  { method: "GET", path: "/" },
  { method: "GET", path: "/user" },
  { method: "GET", path: "/rate_limit" },
  { method: "POST", path: "/orgs/:org/repos", body: object(settings, "name") },
  { method: "GET", path: REPOSITORY },
  { method: "PATCH", path: REPOSITORY, body: object(settings) },
  { method: "DELETE", path: REPOSITORY, at: { repo: ["spare"] } },
  { method: "GET", path: `${REPOSITORY}/branches`, query: PAGE },
  { method: "GET", path: `${REPOSITORY}/branches/:rev` },
  { method: "GET", path: `${REPOSITORY}/branches/:rev/protection` },
  { method: "GET", path: `${REPOSITORY}/tags`, query: PAGE },
  { method: "GET", path: `${REPOSITORY}/git/ref/:rev`, at: REFS },
  { method: "GET", path: `${REPOSITORY}/git/refs`, query: PAGE },
  { method: "GET", path: `${REPOSITORY}/git/refs/:rev`, at: REFS },
  { method: "GET", path: `${REPOSITORY}/git/matching-refs/:rev`, at: REFS, query: PAGE },
  { method: "POST", path: `${REPOSITORY}/git/refs`, body: object({ ref: text, sha: text }, "ref", "sha") },
  { method: "PATCH", path: `${REPOSITORY}/git/refs/:rev`, at: REFS, body: object({ sha: text, force: flag }, "sha") },
  { method: "DELETE", path: `${REPOSITORY}/git/refs/:rev`, at: REFS },
  { method: "GET", path: `${REPOSITORY}/git/blobs/:oid` },
  { method: "GET", path: `${REPOSITORY}/git/trees/:rev`, query: ["recursive"] },
  { method: "GET", path: `${REPOSITORY}/git/commits/:oid` },
  { method: "GET", path: `${REPOSITORY}/git/tags/:oid` },
  {
    method: "POST",
    path: `${REPOSITORY}/git/blobs`,
    body: object({ content: text, encoding: { enum: ["utf-8", "base64", "x"] } }, "content"),
  },
  { method: "POST", path: `${REPOSITORY}/git/trees`, body: object({ base_tree: optional, tree: list(entry) }, "tree") },
  {
    method: "POST",
    path: `${REPOSITORY}/git/commits`,
    body: object(
      { message: text, tree: text, parents: list(text), author: person, committer: person, signature: optional },
      "message",
      "tree",
    ),
  },
  {
    method: "POST",
    path: `${REPOSITORY}/git/tags`,
    body: object(
      {
        tag: text,
        message: text,
        object: text,
        type: { enum: ["commit", "tree", "blob", "tag", "x"] },
        tagger: person,
      },
      "tag",
      "message",
      "object",
      "type",
    ),
  },
  { method: "GET", path: `${REPOSITORY}/contents`, query: ["ref"] },
  { method: "GET", path: `${REPOSITORY}/contents/:path`, at: PATHS, query: ["ref"] },
  { method: "PUT", path: `${REPOSITORY}/contents/:path`, at: PATHS, body: object(file, "message", "content") },
  {
    method: "DELETE",
    path: `${REPOSITORY}/contents/:path`,
    at: PATHS,
    query: ["message", "sha", "branch"],
    body: object(file),
  },
  { method: "GET", path: `${REPOSITORY}/readme`, query: ["ref"] },
  { method: "GET", path: `${REPOSITORY}/tarball` },
  { method: "GET", path: `${REPOSITORY}/tarball/:rev` },
  { method: "GET", path: `${REPOSITORY}/zipball` },
  { method: "GET", path: `${REPOSITORY}/zipball/:rev` },
  {
    method: "GET",
    path: `${REPOSITORY}/commits`,
    query: [...PAGE, "sha", "path", "since", "until", "author", "cursor"],
  },
  { method: "GET", path: `${REPOSITORY}/commits/:rev` },
  { method: "GET", path: `${REPOSITORY}/compare/:revs`, query: PAGE },
  {
    method: "POST",
    path: `${REPOSITORY}/merges`,
    body: object({ base: text, head: text, commit_message: optional }, "base", "head"),
  },
  { method: "POST", path: `${REPOSITORY}/merge-upstream`, body: object({ branch: text }, "branch") },
  {
    method: "POST",
    path: `${REPOSITORY}/forks`,
    query: ["organization", "name"],
    body: object({ organization: optional, name: optional }),
  },
  { method: "GET", path: `${REPOSITORY}/hooks`, query: PAGE },
  { method: "POST", path: `${REPOSITORY}/hooks`, body: hook },
  { method: "GET", path: `${REPOSITORY}/hooks/:hook` },
  { method: "PATCH", path: `${REPOSITORY}/hooks/:hook`, body: hook },
  { method: "DELETE", path: `${REPOSITORY}/hooks/:hook` },
  { method: "POST", path: `${REPOSITORY}/hooks/:hook/pings` },
  { method: "GET", path: `${REPOSITORY}/statuses/:rev`, query: PAGE },
  {
    method: "POST",
    path: `${REPOSITORY}/statuses/:oid`,
    body: object(
      {
        state: { enum: ["success", "failure", "error", "pending", "x"] },
        target_url: optional,
        description: optional,
        context: text,
      },
      "state",
    ),
  },
  { method: "GET", path: `${REPOSITORY}/commits/:rev/statuses`, query: PAGE },
  { method: "GET", path: `${REPOSITORY}/commits/:rev/status`, query: PAGE },
];
