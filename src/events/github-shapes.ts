/**
 * The shapes that GitHub's bodies have for repositories and users. Receivers written for GitHub check them: numbers
 * have to be numbers, and members that mean nothing here have to be there.
 *
 * @packageDocumentation
 * @see google/go-github, go-playground/webhooks, octokit/webhooks
 */
import type { HookedRepository } from "./hook.ts";

/** Digits of an id that make a number: all of them would be more than a number can hold. */
const NUMBER_DIGITS = 13;

/** Returns the number that receivers know a thing by, from its id in hexadecimal. It is always the same. */
export function numberOf(id: string): number {
  const digits = id.replaceAll(/[^0-9a-f]/g, "").slice(0, NUMBER_DIGITS);
  return digits === "" ? 0 : Number.parseInt(digits, 16);
}

/** Returns the number of a principal, which has a name alone. */
function numberOfName(name: string): number {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) /* a letter has one */ % 2 ** 31;
  return hash;
}

const time = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());
const seconds = (at: number | undefined): number | null => (at === undefined ? null : Math.floor(at / 1000));

/** Paths below a user's address in the API. */
const OF_USERS = "followers following gists starred subscriptions orgs repos events received_events".split(" ");
/** The member of each of them, where it is not the path's name. */
const USER_MEMBERS: Readonly<Record<string, string>> = { orgs: "organizations" };

/** Returns a tenant or a pusher, as a user of GitHub's. */
export function userShape(name: string, origin: string): object {
  const url = `${origin}/api/v1/tenants/${encodeURIComponent(name)}`;
  return {
    name,
    email: null,
    login: name,
    id: numberOfName(name),
    node_id: "",
    avatar_url: `${origin}/favicon.ico`,
    gravatar_id: "",
    url,
    html_url: `${origin}/${encodeURIComponent(name)}`,
    ...Object.fromEntries(OF_USERS.map((path) => [`${USER_MEMBERS[path] ?? path}_url`, `${url}/${path}`])),
    type: "User",
    site_admin: false,
  };
}

/** Returns a tenant, as an organization of GitHub's. */
export function organizationShape(name: string, origin: string): object {
  const url = `${origin}/api/v1/tenants/${encodeURIComponent(name)}`;
  return {
    login: name,
    id: numberOfName(name),
    node_id: "",
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${origin}/favicon.ico`,
    description: null,
  };
}

/** Paths below a repository's address in the API, and the members that have them. */
const OF_REPOSITORIES: Readonly<Record<string, string>> = {
  forks: "forks",
  keys: "keys{/key_id}",
  collaborators: "collaborators{/collaborator}",
  teams: "teams",
  hooks: "hooks",
  issue_events: "issues/events{/number}",
  events: "events",
  assignees: "assignees{/user}",
  branches: "branches{/branch}",
  tags: "tags",
  blobs: "git/blobs{/sha}",
  git_tags: "git/tags{/sha}",
  git_refs: "git/refs{/sha}",
  trees: "git/trees{/sha}",
  statuses: "statuses/{sha}",
  languages: "languages",
  stargazers: "stargazers",
  contributors: "contributors",
  subscribers: "subscribers",
  subscription: "subscription",
  commits: "commits{/sha}",
  git_commits: "git/commits{/sha}",
  comments: "comments{/number}",
  issue_comment: "issues/comments{/number}",
  contents: "contents/{+path}",
  compare: "compare/{base}...{head}",
  merges: "merges",
  archive: "{archive_format}{/ref}",
  downloads: "downloads",
  issues: "issues{/number}",
  pulls: "pulls{/number}",
  milestones: "milestones{/number}",
  notifications: "notifications{?since,all,participating}",
  labels: "labels{/name}",
  releases: "releases{/id}",
  deployments: "deployments",
};

/** What GitHub counts and this host does not. */
const NOTHING = Object.fromEntries(
  "stargazers_count watchers_count forks_count open_issues_count forks open_issues watchers stargazers"
    .split(" ")
    .map((name) => [name, 0]),
);
const NOT_HERE = Object.fromEntries(
  "has_issues has_projects has_downloads has_wiki has_pages has_discussions is_template web_commit_signoff_required allow_forking fork disabled"
    .split(" ")
    .map((name) => [name, false]),
);
const UNKNOWN = { homepage: null, language: null, mirror_url: null, license: null, topics: [], custom_properties: {} };

/** The data of a repository's shape. */
export type ShapedRepository = {
  /** `{tenant}/{repo}`. */
  readonly name: string;
  readonly origin: string;
  readonly repository: HookedRepository;
  /** The short name of the branch that HEAD points to. */
  readonly branch: string;
  /** Whether times are in seconds since the epoch, as in GitHub's `push`, and not ISO 8601. */
  readonly inSeconds: boolean;
};

/** Returns a repository, as GitHub's bodies have it. */
export function repositoryShape({ name, origin, repository, branch, inSeconds }: ShapedRepository): object {
  const [tenant = "", repo = ""] = name.split("/");
  const url = `${origin}/api/v3/repos/${name}`;
  const git = `${origin}/${name}.git`;
  const { createdAt, pushedAt = createdAt } = repository;
  return {
    id: numberOf(repository.id),
    node_id: repository.id,
    name: repo,
    full_name: name,
    private: repository.visibility === "private",
    owner: userShape(tenant, origin),
    visibility: repository.visibility,
    description: repository.description,
    url,
    html_url: `${origin}/${name}`,
    ...Object.fromEntries(Object.entries(OF_REPOSITORIES).map(([member, path]) => [`${member}_url`, `${url}/${path}`])),
    clone_url: git,
    git_url: git,
    ssh_url: git,
    svn_url: git,
    default_branch: branch,
    master_branch: branch,
    created_at: inSeconds ? seconds(createdAt) : time(createdAt),
    pushed_at: inSeconds ? seconds(pushedAt) : time(pushedAt),
    updated_at: time(pushedAt),
    size: Math.ceil((repository.sizeBytes ?? 0) / 1024), // Unknown sizes are shown as nothing.
    archived: repository.readOnly ?? false,
    ...NOTHING,
    ...NOT_HERE,
    ...UNKNOWN,
  };
}
