/**
 * People of a game who are other Workers of the account: each has a binding to the host, which says who asks.
 *
 * @packageDocumentation
 */
import type { Neighbour, RunningHost } from "../../../scripts/host.ts";
import { type Person, TENANTS } from "./world.ts";

const CALLER = "caller";
/** The header by which a request says through which binding it goes. */
const BINDING = "X-Binding";
/** Passes every request on through the binding that it names. */
const SCRIPT = `export default {
  async fetch(request, env) {
    const headers = new Headers(request.headers);
    const name = headers.get("${BINDING}");
    headers.delete("${BINDING}");
    const { url, method } = request;
    if (request.body === null) return await env[name].fetch(new Request(url, { method, headers, redirect: "manual" }));
    const body = await request.arrayBuffer();
    headers.set("Content-Length", String(body.byteLength));
    return await env[name].fetch(new Request(url, { method, headers, body, redirect: "manual" }));
  },
};`;
const SCOPES = ["repo:read", "repo:write", "tenant:admin"] as const;

const nameOf = (tenant: string, scope: string): string => `${tenant}_${scope.replace(":", "_")}`;
const everybody = TENANTS.flatMap((tenant) =>
  SCOPES.map((scope) => ({ tenant, scope, binding: nameOf(tenant, scope) })),
);

/** The Worker that has the bindings. */
export function neighbour(): Neighbour {
  const bindings = everybody.map(({ tenant, scope, binding }) => {
    const props = { tenant, scopes: [scope], name: binding };
    return [binding, { entrypoint: "GitHost", props }] as const;
  });
  return { name: CALLER, script: SCRIPT, compatibilityDate: "2026-11-01", bindings: Object.fromEntries(bindings) };
}

/** The people, on a host that has the Worker beside it. */
export async function boundPeople({ miniflare }: RunningHost): Promise<readonly Person[]> {
  const caller = await miniflare.getWorker(CALLER);
  return everybody.map(({ tenant, scope, binding }) => ({
    name: `${tenant} ${scope} by a binding`,
    kind: "token",
    tenant,
    scope,
    fetch: async (url, { headers, ...init }) => {
      const all = { ...(headers as Record<string, string>), [BINDING]: binding };
      // The simulator has types of its own for what the platform's are here.
      return (await caller.fetch(url, { ...init, headers: all } as never)) as unknown as Response;
    },
  }));
}
