/**
 * The body of the event `status`: a status of a commit, as GitHub tells it.
 *
 * @packageDocumentation
 */
import { userShape } from "./github-shapes.ts";

/** A person of a commit. The date is in ISO 8601. */
type Person = { readonly name: string; readonly email: string; readonly date: string };

/** A status that was set, with its commit. Names of objects are hexadecimal. */
export type ToldStatus = {
  readonly oid: string;
  readonly status: {
    readonly id: number;
    readonly context: string;
    readonly state: string;
    /** This and the URL are "" where there is none. */
    readonly description: string;
    readonly targetUrl: string;
    readonly actor: string;
    readonly actorName?: string;
    /** Milliseconds since the epoch. */
    readonly at: number;
  };
  readonly commit: {
    readonly tree: string;
    readonly parents: readonly string[];
    readonly message: string;
    readonly author: Person;
    readonly committer: Person;
  };
  /** Full names of branches that are at the commit. */
  readonly branches: readonly string[];
};

/** Reads the detail of a delivery, which the repository's object wrote. */
export function parseToldStatus(detail: string): ToldStatus {
  return JSON.parse(detail);
}

const BRANCHES = "refs/heads/";
const orNull = (text: string): string | null => (text === "" ? null : text);

/** Returns the members of the body that are not those of every event. */
export function statusBody(
  { oid, status, commit, branches }: ToldStatus,
  { name, origin }: { readonly name: string; readonly origin: string },
): object {
  const api = `${origin}/api/v3/repos/${name}`;
  const page = `${origin}/${name}/commit`;
  const at = new Date(status.at).toISOString();
  const { tree, parents, message, author, committer } = commit;
  const shape = { sha: oid, url: `${api}/commits/${oid}` };
  return {
    id: status.id,
    sha: oid,
    name,
    avatar_url: `${origin}/favicon.ico`,
    target_url: orNull(status.targetUrl),
    context: status.context,
    description: orNull(status.description),
    state: status.state,
    commit: {
      ...shape,
      node_id: oid,
      commit: {
        author,
        committer,
        message,
        tree: { sha: tree, url: `${api}/git/trees/${tree}` },
        url: `${api}/git/commits/${oid}`,
        comment_count: 0,
        verification: { verified: false, reason: "unsigned", signature: null, payload: null },
      },
      html_url: `${page}/${oid}`,
      comments_url: `${api}/commits/${oid}/comments`,
      author: userShape(author.name, origin),
      committer: userShape(committer.name, origin),
      parents: parents.map((parent) => ({
        sha: parent,
        url: `${api}/commits/${parent}`,
        html_url: `${page}/${parent}`,
      })),
    },
    branches: branches.map((branch) => ({ name: branch.slice(BRANCHES.length), commit: shape, protected: false })),
    created_at: at,
    updated_at: at,
  };
}
