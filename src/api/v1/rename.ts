/**
 * Renames a repository, or moves it to another tenant.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { decide } from "../../access/decide.ts";
import { parseRepositoryName, repositoryKey, type RepositoryName, spellingOf } from "../../access/names.ts";
import { actorNameOf, actorOf } from "../../access/principal.ts";
import { unlessMoved } from "../../http/moved.ts";
import { Problem } from "../../http/problem.ts";
import { registeredName } from "../../http/registered-name.ts";
import { explainRegisterRefusal } from "../../http/register-refusal.ts";
import type { MoveAnswer } from "../../refs/forward.ts";
import type { DescribedRepository } from "../../refs/ref-store.ts";
import type { ApiEnv } from "../api-host.ts";
import type { NamedRepository } from "./repo-settings.ts";

/** The members of a request that rename a repository. */
export type AskedName = { readonly name?: string | undefined; readonly tenant?: string | undefined };

/**
 * Returns the new name; `undefined` if none is asked for.
 *
 * @throws Problem if the repository can't have it, or if the requester may not give it.
 */
export async function askedName(
  context: Context<ApiEnv>,
  name: RepositoryName,
  { name: repo, tenant }: AskedName,
): Promise<RepositoryName | undefined> {
  if (repo === undefined && tenant === undefined) return undefined;
  const old = spellingOf(name);
  const target = parseRepositoryName(tenant ?? old.tenant, repo ?? old.repo);
  if (target === undefined) throw new Problem(422, "name: no repository can have this name.");
  const { principal } = await context.var.host.identify(name);
  if (target.tenant !== name.tenant && principal.kind !== "operator") {
    throw new Problem(403, "tenant: only the operator moves repositories to another tenant.");
  }
  if (decide(principal, "administer", target, undefined) !== "allow") {
    throw new Problem(403, "name: a token that is for some repositories can't rename one.");
  }
  return target;
}

/** Returns the name as it is to be shown, for a new name that differs in its case alone. */
export function respelled(name: RepositoryName, target: RepositoryName): string {
  // The tenant's own spelling is the tenant's.
  return `${name.tenant}/${spellingOf(target).repo}`;
}

/** Whether two names are the same but for their case. */
export function isSameName(name: RepositoryName, target: RepositoryName): boolean {
  return repositoryKey(name) === repositoryKey(target);
}

function refusalOf(why: Exclude<MoveAnswer["kind"], "moved">): Problem {
  switch (why) {
    case "taken":
      return new Problem(409, "name: there is a repository of this name.");
    case "missing":
      return new Problem(404, "There is no such repository.");
    case "too-large":
      return new Problem(409, "name: the repository has too many refs and moves of refs to be renamed.");
  }
}

/**
 * Gives a repository another name.
 *
 * Its tenants' lists are told before and after. If this is interrupted in between, the tenants ask the repository's
 * objects after a while, and find out where it is.
 *
 * @throws Problem if the name is taken, or the repository is too large to be renamed.
 */
export async function rename(
  context: Context<ApiEnv>,
  { name, record }: NamedRepository,
  target: RepositoryName,
): Promise<DescribedRepository> {
  const { api, host } = context.var;
  if ((await api.settings(target).describe().catch(unlessMoved)) !== undefined) throw refusalOf("taken");
  const isSameTenant = target.tenant === name.tenant;
  const { principal } = await host.identify(name);
  const spelling = spellingOf(target);
  const entered = await api.tenant(target.tenant).register({
    repo: target.repo,
    tenant: spelling.tenant,
    objectFormat: record.objectFormat,
    visibility: record.visibility,
    byPush: false,
    byOperator: principal.kind === "operator",
    renamed: isSameTenant,
    ...(isSameTenant ? {} : { by: { actor: actorOf(principal), ...actorNameOf(principal) } }),
  });
  if (entered.kind === "refused") {
    const { status, detail } = explainRegisterRefusal(entered.why);
    throw new Problem(status, detail);
  }
  await api.tenant(name.tenant).doubtRepo(name.repo);
  const { spelled = repositoryKey(target) } = registeredName(target, entered);
  const moved = await api.settings(name).move(spelled);
  for (const each of [name, target]) host.formats.forget(repositoryKey(each));
  if (moved.kind !== "moved") throw refusalOf(moved.kind);
  const { id } = moved;
  await api.tenant(target.tenant).repoArrived(target.repo, isSameTenant ? { id, from: name.repo } : { id });
  if (!isSameTenant) await api.tenant(name.tenant).repoDeparted(name.repo, id);
  const found = await api.settings(target).describe();
  if (found === undefined) throw new Problem(404, "There is no such repository.");
  return found;
}
