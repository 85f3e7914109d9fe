/**
 * The names of tenants and repositories, as URLs have them.
 *
 * @packageDocumentation
 */

/** The most characters of a name. */
const LONGEST_NAME = 100;
const NAME = new RegExp(String.raw`^[A-Za-z0-9_][A-Za-z0-9._-]{0,${LONGEST_NAME - 1}}$`);
const RESERVED_ENDING = /\.(?:git|lock)$/;
/** The first path segments that the host itself uses. */
const RESERVED_TENANTS: ReadonlySet<string> = new Set(["api", "assets", "healthz"]);

/** A valid pair of names. */
export type RepositoryName = { readonly tenant: string; readonly repo: string };

function isName(name: string): boolean {
  return NAME.test(name) && !RESERVED_ENDING.test(name);
}

/** Whether `repo` may be a repository's name. */
export function isRepositoryName(repo: string): boolean {
  return isName(repo);
}

/** Whether `tenant` may be a tenant's name. Names that the host uses, and names that start with `_`, are reserved. */
export function isTenantName(tenant: string): boolean {
  return isName(tenant) && !tenant.startsWith("_") && !RESERVED_TENANTS.has(tenant);
}

/** Checks a pair of names. Returns `undefined` if either is invalid. */
export function parseRepositoryName(tenant: string, repo: string): RepositoryName | undefined {
  return isTenantName(tenant) && isName(repo) ? { tenant, repo } : undefined;
}

/** Checks the names in a Git URL, in which the repository's name may end in `.git`. */
export function parseGitRepositoryName(tenant: string, repo: string): RepositoryName | undefined {
  return parseRepositoryName(tenant, repo.endsWith(".git") ? repo.slice(0, -".git".length) : repo);
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
  const [name = "", moment, ...more] = repo.replace(/\.git$/, "").split("@");
  const at = moment === undefined || more.length > 0 ? undefined : parseMoment(moment);
  return at === undefined ? { repo } : { repo: name, at };
}

/** Returns the name of the repository's Durable Object. */
export function repositoryKey({ tenant, repo }: RepositoryName): string {
  return `${tenant}/${repo}`;
}
