/**
 * The entrypoint for other Workers of the account. Each method asks the API, within this Worker, as the caller that the binding's `props`
 * describe: so there is no second way in, and no check that a method could forget.
 *
 * @packageDocumentation
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { Env } from "../env.ts";
import { type Asked, BoundApi, type Serve } from "./bound-api.ts";
import { bind, boundCaller } from "./bound-request.ts";
import type { GitHost, GitHostProps } from "./git-host-types.ts";

type Methods = GitHost;
type In<Name extends keyof Methods> = Parameters<Methods[Name]>;
type Out<Name extends keyof Methods> = ReturnType<Methods[Name]>;

/** Returns a content as a body, with its length: that has to be known before it is sent. */
function blobBody(content: In<"createBlob">[1], size: number | undefined): Pick<Asked, "body" | "headers"> {
  const body = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const length = "byteLength" in body ? body.byteLength : size;
  return { body, ...(length === undefined ? {} : { headers: { "Content-Length": String(length) } }) };
}

/** The entrypoint. The Worker's main module gives it the application, `serve`. */
export class GitHostEntrypoint extends WorkerEntrypoint<Env, GitHostProps> implements Methods {
  // What is not private to the language could be called by the other Worker.
  readonly #serve: Serve;

  constructor(context: ExecutionContext, env: Env, serve: Serve) {
    super(context, env);
    this.#serve = serve;
  }

  get #api(): BoundApi {
    const { credentials, origin = this.env.ORIGIN } = boundCaller(this.ctx.props);
    const ask = async (request: Request): Promise<Response> => await this.#serve(bind(request, credentials));
    return new BoundApi(ask, { tenant: credentials.tenant, origin });
  }

  async #json<T>(path: string, asked?: Asked): Promise<T> {
    return await this.#api.json<T>(path, asked);
  }

  override async fetch(...[request, init]: In<"fetch">): Promise<Response> {
    const { credentials } = boundCaller(this.ctx.props);
    return await this.#serve(bind(new Request(request, init), credentials));
  }

  async createRepository(...[repo, settings = {}]: In<"createRepository">): Out<"createRepository"> {
    return await this.#json(this.#api.repo(repo), { method: "PUT", json: settings });
  }

  async getRepository(...[repo]: In<"getRepository">): Out<"getRepository"> {
    return await this.#json(this.#api.repo(repo));
  }

  async updateRepository(...[repo, change]: In<"updateRepository">): Out<"updateRepository"> {
    return await this.#json(this.#api.repo(repo), { method: "PATCH", json: change });
  }

  async deleteRepository(...[repo]: In<"deleteRepository">): Out<"deleteRepository"> {
    await this.#api.done(this.#api.repo(repo), { method: "DELETE" });
  }

  async listRepositories(...[paging = {}]: In<"listRepositories">): Out<"listRepositories"> {
    return await this.#json(this.#api.tenant("repos"), { query: paging });
  }

  async createToken(...[token]: In<"createToken">): Out<"createToken"> {
    return await this.#json(this.#api.tenant("tokens"), { method: "POST", json: token });
  }

  async revokeToken(...[id]: In<"revokeToken">): Out<"revokeToken"> {
    await this.#api.done(this.#api.tenant("tokens", id), { method: "DELETE" });
  }

  async listRefs(...[repo, query = {}]: In<"listRefs">): Out<"listRefs"> {
    return await this.#json(this.#api.repo(repo, "refs"), { query });
  }

  async setRef(...[repo, name, to]: In<"setRef">): Out<"setRef"> {
    return await this.#json(this.#api.repo(repo, "refs", name), { method: "PUT", json: to });
  }

  async deleteRef(...[repo, name, query = {}]: In<"deleteRef">): Out<"deleteRef"> {
    await this.#api.done(this.#api.repo(repo, "refs", name), { method: "DELETE", query });
  }

  async updateRefs(...[repo, order]: In<"updateRefs">): Out<"updateRefs"> {
    return await this.#json(this.#api.repo(repo, "refs"), { method: "POST", json: order });
  }

  async createTag(...[repo, tag]: In<"createTag">): Out<"createTag"> {
    return await this.#json(this.#api.repo(repo, "tags"), { method: "POST", json: tag });
  }

  async listDirectory(...[repo, rev, path = "", paging = {}]: In<"listDirectory">): Out<"listDirectory"> {
    return await this.#json(this.#api.repo(repo, "tree", rev, path), { query: paging });
  }

  async getFile(...[repo, rev, path]: In<"getFile">): Out<"getFile"> {
    return await this.#api.file(this.#api.repo(repo, "raw", rev, path));
  }

  async readBlobs(...[repo, asked]: In<"readBlobs">): Out<"readBlobs"> {
    return await this.#json(this.#api.repo(repo, "blobs/read"), { method: "POST", json: asked });
  }

  async listCommits(...[repo, query = {}]: In<"listCommits">): Out<"listCommits"> {
    return await this.#json(this.#api.repo(repo, "commits"), { query });
  }

  async getCommit(...[repo, rev, paging = {}]: In<"getCommit">): Out<"getCommit"> {
    return await this.#json(this.#api.repo(repo, "commits", rev), { query: paging });
  }

  async compareRevisions(...[repo, from, to, paging = {}]: In<"compareRevisions">): Out<"compareRevisions"> {
    return await this.#json(this.#api.repo(repo, "compare", `${from}...${to}`), { query: paging });
  }

  async diffRevisions(...[repo, from, to, asked = {}]: In<"diffRevisions">): Out<"diffRevisions"> {
    const { merge_base = false, ...query } = asked;
    const revs = `${from}${merge_base ? "..." : ".."}${to}`;
    return await this.#json(this.#api.repo(repo, "diff", revs), { query: { ...query, format: "json" } });
  }

  async createBlob(...[repo, content, size]: In<"createBlob">): Out<"createBlob"> {
    return await this.#json(this.#api.repo(repo, "blobs"), { method: "POST", ...blobBody(content, size) });
  }

  async createCommit(...[repo, commit]: In<"createCommit">): Out<"createCommit"> {
    return await this.#json(this.#api.repo(repo, "commits"), { method: "POST", json: commit });
  }

  async mergeBranches(...[repo, merge]: In<"mergeBranches">): Out<"mergeBranches"> {
    return await this.#json(this.#api.repo(repo, "merges"), { method: "POST", json: merge });
  }

  async cherryPick(...[repo, picks]: In<"cherryPick">): Out<"cherryPick"> {
    return await this.#json(this.#api.repo(repo, "cherry-picks"), { method: "POST", json: picks });
  }

  async revertCommits(...[repo, picks]: In<"revertCommits">): Out<"revertCommits"> {
    return await this.#json(this.#api.repo(repo, "reverts"), { method: "POST", json: picks });
  }

  async createFork(...[repo, fork]: In<"createFork">): Out<"createFork"> {
    const json = { tenant: this.#api.home, ...fork };
    return await this.#json(this.#api.repo(repo, "forks"), { method: "POST", json });
  }

  async syncFork(...[repo, order = {}]: In<"syncFork">): Out<"syncFork"> {
    return await this.#json(this.#api.repo(repo, "sync"), { method: "POST", json: order });
  }

  async listStatuses(...[repo, oid]: In<"listStatuses">): Out<"listStatuses"> {
    return await this.#json(this.#api.repo(repo, "commits", oid, "statuses"));
  }

  async setStatus(...[repo, oid, status]: In<"setStatus">): Out<"setStatus"> {
    return await this.#json(this.#api.repo(repo, "commits", oid, "statuses"), { method: "POST", json: status });
  }

  async streamEvents(...[repo, query = {}]: In<"streamEvents">): Out<"streamEvents"> {
    return await this.#api.events(this.#api.repo(repo, "events"), query);
  }
}
