/**
 * Locks of Git LFS. Who may read a repository may see them, and who may push to it may lock files.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/locking.md
 */
import { Hono, type Context } from "hono";
import { decide, mightWrite } from "../access/decide.ts";
import { lockOwnerOf } from "../access/principal.ts";
import {
  type LockFault,
  nextPage,
  parseLock,
  parseLockQuery,
  parseUnlock,
  parseVerification,
  shownLock,
} from "../lfs/lock-requests.ts";
import type { FileLock, LockAnswer, LockOutcome, LockRequest } from "../refs/lfs-locks.ts";
import { drainBody } from "./body-text.ts";
import { type Caller, refuseStrangers } from "./admission.ts";
import type { HostEnv } from "./host.ts";
import { admitWriter, foundByReader, lfsCaller } from "./lfs-admission.ts";
import { lfsAnswer, lfsAnswered, lfsErrorBody, readLfsJson } from "./lfs-answer.ts";
import { Problem } from "./problem.ts";
import { queryFault } from "./strict-query.ts";

/** The parameters of a list that need not be UTF-8, which are none: every parameter is text, as paths of locks are. */
const ALL_TEXT: ReadonlySet<string> = new Set();
/** A list of nothing, by which a caller is admitted. */
const NOTHING: LockRequest = { kind: "list", query: { limit: 0 } };

type FoundLocks = Extract<LockAnswer, { kind: "found" }>;

async function askAsReader(caller: Caller, request: LockRequest): Promise<FoundLocks> {
  return await foundByReader<FoundLocks>(caller, await caller.host.lfs(caller.name).locks(request));
}

/** Asks as a caller that may push. Returns `undefined` if a push would make the repository. */
async function askAsWriter(caller: Caller, request: LockRequest): Promise<FoundLocks | undefined> {
  const { host, name } = caller;
  const { principal } = await host.identify(name);
  // A caller that may not write in any case is refused before the request is sent.
  const answer = await host.lfs(name).locks(mightWrite(principal, name) ? request : NOTHING);
  await admitWriter(caller, answer.kind === "found" ? answer.record : undefined);
  return answer.kind === "found" ? answer : undefined;
}

/** Reads and parses a body. One that is wrong is refused to a caller that may push, and to nobody else. */
async function asked<Parsed extends object>(
  context: Context<HostEnv>,
  parse: (json: unknown) => Parsed | LockFault,
): Promise<Parsed> {
  const refuse = async (error: unknown): Promise<never> => {
    await askAsWriter(lfsCaller(context), NOTHING);
    await drainBody(context.req.raw);
    throw error;
  };
  const json = await readLfsJson(context.req.raw).catch(refuse);
  const parsed = parse(json);
  return "fault" in parsed ? await refuse(new Problem(422, parsed.fault)) : parsed;
}

async function list(context: Context<HostEnv>): Promise<Response> {
  const caller = lfsCaller(context);
  await refuseStrangers(caller, false);
  const malformed = queryFault(context.req.url, ALL_TEXT);
  const query =
    malformed === undefined ? parseLockQuery(new URL(context.req.url).searchParams) : { fault: malformed.detail };
  const { locks, more } = await askAsReader(caller, "fault" in query ? NOTHING : { kind: "list", query });
  if ("fault" in query) throw new Problem(422, query.fault);
  return lfsAnswer({ locks: locks.map(shownLock), ...nextPage(locks, more) });
}

async function verify(context: Context<HostEnv>): Promise<Response> {
  const caller = lfsCaller(context);
  await refuseStrangers(caller, true);
  const query = await asked(context, parseVerification);
  const found = await askAsWriter(caller, { kind: "list", query });
  if (found === undefined) return lfsAnswer({ ours: [], theirs: [] });
  const { key } = lockOwnerOf((await caller.host.identify(caller.name)).principal);
  const isOurs = ({ owner }: FileLock): boolean => owner.key === key;
  return lfsAnswer({
    ours: found.locks.filter(isOurs).map(shownLock),
    theirs: found.locks.filter((lock) => !isOurs(lock)).map(shownLock),
    ...nextPage(found.locks, found.more),
  });
}

/** Answers with what became of a request, or with the conflict that there was. */
function outcomeAnswer(context: Context<HostEnv>, outcome: LockOutcome | undefined): Response {
  switch (outcome?.kind) {
    case "locked":
      return lfsAnswer({ lock: shownLock(outcome.lock) }, 201);
    case "unlocked":
      return lfsAnswer({ lock: shownLock(outcome.lock) });
    case "taken":
      return lfsAnswer({ lock: shownLock(outcome.lock), ...lfsErrorBody(context, "already created lock") }, 409);
    case "foreign":
      throw new Problem(
        403,
        `The lock is ${outcome.lock.owner.name}'s. To take it away with --force takes the scope tenant:admin.`,
      );
    case "full":
      throw new Problem(409, "The repository has as many locks as it may.");
    case "missing":
    case undefined:
      throw new Problem(404, "There is no such lock.");
  }
}

async function lockFile(context: Context<HostEnv>): Promise<Response> {
  const caller = lfsCaller(context);
  await refuseStrangers(caller, true);
  const { path } = await asked(context, parseLock);
  const owner = lockOwnerOf((await caller.host.identify(caller.name)).principal);
  const found = await askAsWriter(caller, { kind: "lock", path, owner });
  if (found === undefined) throw new Problem(404, "There is no such repository.");
  return outcomeAnswer(context, found.outcome);
}

async function unlockFile(context: Context<HostEnv>): Promise<Response> {
  const caller = lfsCaller(context);
  const { host, name } = caller;
  await refuseStrangers(caller, true);
  const { force } = await asked(context, parseUnlock);
  const { principal } = await host.identify(name);
  const isAdmin = decide(principal, "administer", name, { visibility: "private", readOnly: false }) === "allow";
  const { id = "" } = context.req.param();
  const request = { kind: "unlock", id, owner: lockOwnerOf(principal), force: force && isAdmin } as const;
  const found = await askAsWriter(caller, request);
  if (found === undefined) throw new Problem(404, "There is no such repository.");
  return outcomeAnswer(context, found.outcome);
}

/** The routes of locks. */
export function lfsLockRoutes(): Hono<HostEnv> {
  const routes = new Hono<HostEnv>();
  const locks = "/:tenant/:repo/info/lfs/locks";
  routes.get(locks, (context) => lfsAnswered(context, () => list(context)));
  routes.post(locks, (context) => lfsAnswered(context, () => lockFile(context)));
  routes.post(`${locks}/verify`, (context) => lfsAnswered(context, () => verify(context)));
  routes.post(`${locks}/:id/unlock`, (context) => lfsAnswered(context, () => unlockFile(context)));
  return routes;
}
