/**
 * The names of tenants and repositories, as URLs have them. They are compared without case: every part of the host
 * works on names in lower case, and keeps the spelling of whoever made the thing only to show it.
 *
 * @packageDocumentation
 */

/** The most characters of a name. */
const LONGEST_NAME = 100;
const NAME = new RegExp(String.raw`^[a-z0-9._][a-z0-9._-]{0,${LONGEST_NAME - 1}}$`);
const RESERVED_ENDING = /\.(?:git|lock)$/;
/** Names that mean something else in a path. */
const PATH_NAMES: ReadonlySet<string> = new Set([".", ".."]);
/** The first path segments that the host itself uses. */
const RESERVED_TENANTS: ReadonlySet<string> = new Set(["api", "assets", "healthz"]);

/** The names of a tenant and of one of its repositories. */
type NamePair = { readonly tenant: string; readonly repo: string };

/** A valid pair of names, in lower case, by which everything is compared and stored. */
export type RepositoryName = NamePair & {
  /** The names as they were written; absent if that was in lower case. */
  readonly spelled?: NamePair;
};

/** Returns the form of a name by which it is compared. */
export function folded(name: string): string {
  return name.toLowerCase();
}

/** Returns the names as they were written. */
export function spellingOf({ tenant, repo, spelled = { tenant, repo } }: RepositoryName): NamePair {
  return spelled;
}

/** Returns a repository's name as it was written: `{tenant}/{repo}`. */
export function shownName(name: RepositoryName): string {
  const { tenant, repo } = spellingOf(name);
  return `${tenant}/${repo}`;
}

/** Whether `repo` may be a repository's name. It may begin with a dot, as `.github` does. */
export function isRepositoryName(repo: string): boolean {
  const name = folded(repo);
  return NAME.test(name) && !RESERVED_ENDING.test(name) && !PATH_NAMES.has(name);
}

/** Whether `tenant` may be a tenant's name. Names that the host uses, and names that start with `_`, are reserved. */
export function isTenantName(tenant: string): boolean {
  return isRepositoryName(tenant) && !/^[._]/.test(tenant) && !RESERVED_TENANTS.has(folded(tenant));
}

/** Checks a pair of names. Returns `undefined` if either is invalid. */
export function parseRepositoryName(tenant: string, repo: string): RepositoryName | undefined {
  if (!isTenantName(tenant) || !isRepositoryName(repo)) return undefined;
  const names = { tenant: folded(tenant), repo: folded(repo) };
  return names.tenant === tenant && names.repo === repo ? names : { ...names, spelled: { tenant, repo } };
}

/** Checks the names in a Git URL, in which the repository's name may end in `.git`. */
export function parseGitRepositoryName(tenant: string, repo: string): RepositoryName | undefined {
  return parseRepositoryName(tenant, repo.replace(/\.git$/i, ""));
}

const MOMENT = /^(\d{4}-\d{2}-(\d{2}))(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * Parses an instant and returns it in milliseconds since the epoch. The text is a number of seconds, a day, or a day
 * and a time, which is UTC without a zone. Returns `undefined` for anything else.
 */
export function parseMoment(text: string): number | undefined {
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000;
  const [, day, ofMonth, time = "00:00", zone = "Z"] = MOMENT.exec(text) ?? [];
  // `Date` would count a day that the month does not have into the next month.
  if (day === undefined || new Date(`${day}T00:00Z`).getUTCDate() !== Number(ofMonth)) return undefined;
  const moment = Date.parse(`${day}T${time}${zone}`);
  return Number.isNaN(moment) ? undefined : moment;
}

/** Splits a repository's name in a Git URL into name and instant: `repo@2026-01-31.git`. No name itself has an `@`. */
export function splitMoment(repo: string): { readonly repo: string; readonly at?: number } {
  const [name = "", moment, ...more] = repo.replace(/\.git$/i, "").split("@");
  const at = moment === undefined || more.length > 0 ? undefined : parseMoment(moment);
  return at === undefined ? { repo } : { repo: name, at };
}

/** Splits `{tenant}/{repo}`. */
export function splitKey(key: string): [tenant: string, repo: string] {
  const slash = key.indexOf("/");
  return [key.slice(0, Math.max(slash, 0)), key.slice(slash + 1)];
}

/** Returns the name of the repository's Durable Object. */
export function repositoryKey({ tenant, repo }: RepositoryName): string {
  return `${tenant}/${repo}`;
}
