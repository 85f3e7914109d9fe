/**
 * Requests that another Worker of the account makes through its binding. No request from outside can be one: the credentials are not in
 * it, but beside it.
 *
 * @packageDocumentation
 */
import * as v from "valibot";
import { folded, isRepositoryName, isTenantName } from "../access/names.ts";
import { SCOPES } from "../access/scope.ts";
import type { BindingCredentials } from "../http/authenticate.ts";

/** What a binding without a name is called. */
const UNNAMED = "worker";

const isOrigin = (text: string): boolean => URL.parse(text)?.origin === text;
const PROPS = v.strictObject({
  tenant: v.pipe(v.string(), v.transform(folded), v.check(isTenantName, "has to be a tenant's name")),
  scopes: v.pipe(v.array(v.picklist(SCOPES)), v.minLength(1)),
  repositories: v.optional(v.array(v.pipe(v.string(), v.check(isRepositoryName, "has to be a repository's name")))),
  name: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)), UNNAMED),
  origin: v.optional(v.pipe(v.string(), v.check(isOrigin, "has to be like https://git.example.com"))),
});

const handedOn = new WeakMap<Request, BindingCredentials>();

/** What the `props` of a binding say. */
export type BoundCaller = { readonly credentials: BindingCredentials; readonly origin?: string };

/**
 * Reads the `props` of a binding. They come from the configuration of a Worker, so that what is wrong is told to whoever wrote it.
 *
 * @throws TypeError
 */
export function boundCaller(props: unknown): BoundCaller {
  const parsed = v.safeParse(PROPS, props);
  if (!parsed.success) throw new TypeError(`The binding's props: ${v.summarize(parsed.issues)}`);
  const { tenant, scopes, repositories, name, origin } = parsed.output;
  const only = repositories === undefined ? {} : { repos: repositories.map(folded) };
  return {
    credentials: { kind: "binding", tenant, name, scopes, ...only },
    ...(origin === undefined ? {} : { origin }),
  };
}

/** Marks a request as one of a binding's. */
export function bind(request: Request, credentials: BindingCredentials): Request {
  handedOn.set(request, credentials);
  return request;
}

/** Returns the credentials of a request that a binding made; `undefined` for every other. */
export function boundCredentials(request: Request): BindingCredentials | undefined {
  return handedOn.get(request);
}
