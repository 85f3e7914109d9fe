/**
 * Clients that read and move refs of one repository, by git's protocol and by the API, without a git process for each request.
 *
 * @packageDocumentation
 */
import { buildPack, commitOf, objectId, parsePkts, pktLines, pushBody, reportLines, treeOf } from "./git-raw.ts";
import {
  both,
  Busy,
  type Effect,
  landed,
  listed,
  missing,
  type Move,
  openTo,
  PAIRS,
  type RefHistory,
  refused,
  refusedOrMissing,
  silent,
  SINGLES,
  told,
  toldGone,
  type Told,
} from "./ref-history.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { REQUEST_LIMIT } from "./time-limits.ts";

/** The most milliseconds after which a client ends its own request, and one in how many it ends. */
const CUT = 30;
const CUT_ONE_IN = 25;

/** What the API says of the branch that was pushed first, when it is to be deleted: HEAD is there. */
const CURRENT_BRANCH = "is the default branch";

/** Where clients go. */
export type Target = { readonly base: string; readonly path: string; readonly token: string };

type Answer = { readonly status: number; readonly body: Buffer };

const changes = (effect: Effect): Told => ({ kind: "changes", effect });
const reads = (effect: Effect, says = "reads"): Told => ({ kind: "reads", effect, says });

/** One client. */
export class RefClient {
  readonly #target: Target;
  readonly #history: RefHistory;
  readonly #random: SeededRandom;
  readonly #name: string;
  /** The values as this client has last seen them. */
  #seen = new Map<string, string>();
  #made = 0;

  constructor(target: Target, history: RefHistory, name: string, random: SeededRandom) {
    this.#target = target;
    this.#history = history;
    this.#name = name;
    this.#random = random;
  }

  /** Does one thing. */
  async act(): Promise<void> {
    const act = this.#random.weighed<() => Promise<void>>([
      [6, () => this.#push([this.#random.pick(SINGLES)])],
      [3, () => this.#push(this.#random.pick(PAIRS))],
      [2, () => this.#push([this.#random.pick(SINGLES)], true)],
      [3, () => this.#put()],
      [2, () => this.#together()],
      [4, () => this.#list("ls-refs", () => this.lsRefs())],
      [2, () => this.#list("info/refs", () => this.#advertised())],
      [2, () => this.#list("GET refs", () => this.#apiRefs())],
      [2, () => this.#stranger()],
    ]);
    await act();
  }

  async #send(path: string, init: RequestInit & { readonly isStranger?: boolean } = {}): Promise<Answer> {
    const { isStranger = false, ...rest } = init;
    const { base, token } = this.#target;
    const headers = new Headers(rest.headers);
    if (!isStranger) headers.set("Authorization", `Basic ${btoa(`git:${token}`)}`);
    const limit = AbortSignal.timeout(REQUEST_LIMIT);
    const signal = rest.signal ? AbortSignal.any([rest.signal, limit]) : limit;
    const answer = await fetch(`${base}/${path}`, { ...rest, headers, redirect: "manual", signal });
    return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
  }

  async #api(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Answer> {
    return await this.#send(`api/v1/repos/${this.#target.path}/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Now and then a client goes away before it is answered. */
  #signal(): AbortSignal | undefined {
    if (this.#random.below(CUT_ONE_IN) > 0) return undefined;
    const controller = new AbortController();
    setTimeout(() => controller.abort(), this.#random.below(CUT));
    return controller.signal;
  }

  #newCommit(): { readonly oid: string; readonly pack: Buffer } {
    this.#made += 1;
    const content = `${this.#name} ${this.#made}`;
    const tree = treeOf(["100644", "file", objectId("blob", content)]);
    const commit = commitOf(objectId("tree", tree));
    const pack = buildPack([
      { type: "commit", content: commit },
      { type: "tree", content: tree },
      { type: "blob", content },
    ]);
    return { oid: objectId("commit", commit), pack };
  }

  #moves(keys: readonly string[], next: string): Move[] {
    return keys.map((key) => ({ key, old: this.#seen.get(key) ?? "", next }));
  }

  #note(moves: readonly Move[]): void {
    for (const { key, next } of moves) this.#seen.set(key, next);
  }

  /** Moves refs together from what was last seen, or deletes them. */
  async #push(keys: readonly string[], isDeletion = false): Promise<void> {
    const { oid, pack } = this.#newCommit();
    const moves = this.#moves(keys, isDeletion ? "" : oid);
    if (isDeletion && moves.some(({ old }) => old === "")) return;
    const commands = moves.map(({ key, old, next }) => ({
      name: key,
      ...(old === undefined || old === "" ? {} : { old }),
      ...(next === "" ? {} : { new: next }),
    }));
    const body = pushBody(commands, isDeletion ? undefined : pack, "report-status atomic delete-refs");
    const signal = this.#signal();
    const work = async (): Promise<Told> => {
      const answer = await this.#send(`${this.#target.path}.git/git-receive-pack`, {
        method: "POST",
        headers: { "Content-Type": "application/x-git-receive-pack-request" },
        body: new Uint8Array(body),
        ...(signal === undefined ? {} : { signal }),
      });
      return this.#pushed(moves, answer);
    };
    await this.#history.ask(`${this.#name} pushes ${shown(moves)}`, work, landed(moves));
  }

  #pushed(moves: readonly Move[], { status, body }: Answer): Told {
    if (status === 404) return reads(missing, "missing");
    if (status === 503) return reads(silent, "busy");
    const lines = status === 200 ? reportLines(body) : [];
    if (lines.length === moves.length + 1 && lines.every((line) => /^(?:unpack )?ok\b/.test(line))) {
      this.#note(moves);
      return changes(landed(moves));
    }
    const text = lines.join(", ") || `${status} ${body.toString()}`;
    // What a purge has just taken may have been what the push was checked against. HEAD is at the branch that was pushed first.
    // That is also said of a repository that is deleted during the push, and its refs with it; as the failure of the transaction, where
    // the push is atomic.
    if (/does not exist|atomic transaction failed/.test(text))
      return reads(refusedOrMissing(moves), "refused, or missing");
    if (/unpacker error|current branch/.test(text)) return reads(silent, "silent");
    if (/fetch first|stale|already exists|reference .*|cannot lock/.test(text)) return reads(refused(moves), "refused");
    throw new Error(`a push was answered: ${text}`);
  }

  #refusedMove(moves: readonly Move[], { status, body }: Answer): Told {
    if (status === 404) return reads(missing, "missing");
    if (body.includes(CURRENT_BRANCH)) return reads(silent, "current");
    const { current, updates } = JSON.parse(body.toString()) as { current?: string | null; updates?: unknown };
    const [move] = moves;
    if (status === 409 && current !== undefined && move !== undefined && moves.length === 1) {
      this.#seen.set(move.key, current ?? "");
      return reads(current === null ? toldGone(move.key) : told(move.key, current), `told ${current}`);
    }
    if (status === 409 && updates !== undefined) return reads(refusedOrMissing(moves), "refused, or missing");
    throw new Error(`a move by the API was answered: ${status} ${body.toString()}`);
  }

  /** Brings a commit by a ref of this client's own, and has the API move another ref to it. */
  async #put(): Promise<void> {
    const { oid, pack } = this.#newCommit();
    const own = `refs/heads/own/${this.#name}-${this.#made}`;
    const body = new Uint8Array(pushBody([{ name: own, new: oid }], pack));
    const headers = { "Content-Type": "application/x-git-receive-pack-request" };
    const path = `${this.#target.path}.git/git-receive-pack`;
    if ((await this.#send(path, { method: "POST", headers, body })).status !== 200) return;
    const key = this.#random.pick(SINGLES);
    const old = this.#seen.get(key) ?? "";
    const isForced = this.#random.below(3) === 0;
    const move: Move = { key, next: oid, ...(isForced ? {} : { old }) };
    const request = { oid, force: true, ...(isForced ? {} : { expected: old === "" ? null : old }) };
    const signal = this.#signal();
    const work = async (): Promise<Told> => {
      const answer = await this.#api("PUT", key, request, signal);
      // The repository may be another one by now, without this object.
      if (answer.status === 422 || answer.status === 503) return reads(silent, "silent");
      if (answer.status >= 300) return this.#refusedMove([move], answer);
      const { previous } = JSON.parse(answer.body.toString()) as { previous: string | null };
      this.#note([move]);
      return changes(landed([{ key, old: previous ?? "", next: oid }]));
    };
    await this.#history.ask(`${this.#name} puts ${shown([move])}`, work, landed([move]));
  }

  /** Deletes a pair by the API, or one ref. */
  async #together(): Promise<void> {
    const keys = this.#random.below(2) === 0 ? this.#random.pick(PAIRS) : [this.#random.pick(SINGLES)];
    const moves = this.#moves(keys, "");
    if (moves.some(({ old }) => old === "")) return;
    const updates = moves.map(({ key, old }) => ({ name: key, old, new: null }));
    const signal = this.#signal();
    const work = async (): Promise<Told> => {
      const answer = await this.#api("POST", "refs", { atomic: true, updates }, signal);
      if (answer.status === 503) return reads(silent, "silent");
      if (answer.status >= 300) return this.#refusedMove(moves, answer);
      const results = (JSON.parse(answer.body.toString()) as { updates: { status: string }[] }).updates;
      if (answer.body.includes(CURRENT_BRANCH)) return reads(silent, "current");
      if (results.some(({ status }) => status !== "ok")) return reads(refused(moves), "refused");
      this.#note(moves);
      return changes(landed(moves));
    };
    await this.#history.ask(`${this.#name} deletes ${shown(moves)}`, work, landed(moves));
  }

  async #list(name: string, read: () => Promise<Map<string, string> | undefined>): Promise<void> {
    await this.#history.ask(`${this.#name} reads ${name}`, async () => {
      const refs = await read();
      if (refs === undefined) return reads(missing, "missing");
      this.#seen = new Map(refs);
      return reads(listed(refs), shownRefs(refs));
    });
  }

  /** Lists refs in version 2; `undefined` where there is no repository. */
  async lsRefs(path = this.#target.path, isStranger = false): Promise<Map<string, string> | undefined> {
    const body = pktLines("command=ls-refs", "object-format=sha1", "0001", "ref-prefix refs/heads/", "0000");
    const headers = { "Content-Type": "application/x-git-upload-pack-request", "Git-Protocol": "version=2" };
    const init = { method: "POST", headers, body: new Uint8Array(body), isStranger };
    return refsIn(await this.#send(`${path}.git/git-upload-pack`, init));
  }

  async #advertised(): Promise<Map<string, string> | undefined> {
    return refsIn(await this.#send(`${this.#target.path}.git/info/refs?service=git-upload-pack`));
  }

  async #apiRefs(): Promise<Map<string, string> | undefined> {
    const { status, body } = await this.#api("GET", "refs?prefix=refs/heads/");
    if (status === 404) return undefined;
    if (status === 503) throw new Busy();
    if (status !== 200) throw new Error(`refs were answered with ${status} ${body.toString()}`);
    const { refs } = JSON.parse(body.toString()) as { refs: { name: string; oid: string }[] };
    return new Map(refs.map(({ name, oid }) => [name, oid]));
  }

  /** Somebody without a token asks. */
  async #stranger(): Promise<void> {
    await this.#history.ask(`a stranger reads`, async () => {
      const refs = await this.lsRefs(this.#target.path, true);
      if (refs === undefined) return reads(openTo(false), "refused");
      return reads(both(openTo(true), listed(refs)), shownRefs(refs));
    });
  }
}

/** Says which refs were listed, but for those that a client has for itself. */
export function shownRefs(refs: ReadonlyMap<string, string>): string {
  return [...refs].filter(([name]) => !name.startsWith("refs/heads/own/")).join(" ");
}

function shown(moves: readonly Move[]): string {
  return moves.map(({ key, old, next }) => `${key} ${old ?? "any"} -> ${next}`).join(", ");
}

/** The refs of an answer by git's protocol. */
function refsIn({ status, body }: Answer): Map<string, string> | undefined {
  if (status === 404 || status === 401) return undefined;
  if (status === 503) throw new Busy();
  if (status !== 200) throw new Error(`refs were answered with ${status} ${body.toString()}`);
  const rows = parsePkts(body).map((line) =>
    line
      .toString()
      .replace(/[\0\n].*$/s, "")
      .split(" "),
  );
  return new Map(
    rows.flatMap(([oid = "", name = ""]) =>
      /^[0-9a-f]{40}$/.test(oid) && name.startsWith("refs/heads/") ? [[name, oid]] : [],
    ),
  );
}
