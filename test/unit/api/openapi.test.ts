/** The API's description, as the build makes it from the routes. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { pageOf } from "../../../scripts/description/page.ts";
import { specificationOf } from "../../../scripts/description/specification.ts";
import { apiRoutes } from "../../../src/api/v1/routes.ts";

type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly description?: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
};
type Description = {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
};

const routes = apiRoutes();
const specification = specificationOf(routes);
const described = specification as unknown as Description;
const schemas = described.components.schemas;

const operations = (): [string, Operation][] =>
  Object.entries(described.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

it("the description lists every route, and no other", () => {
  const there = routes.routes
    .filter(({ method }) => method !== "ALL")
    .map(
      ({ method, path }) =>
        `${method} /api/v1${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}").replace(/(?<=.)\/$/, "")}`,
    );
  expect(there.length).toBeGreaterThan(30);
  expect(new Set(operations().map(([name]) => name))).toEqual(new Set(there));
});

/** What is wrong with a description. */
function faultsOf(name: string, { summary, tags, parameters = [], responses }: Operation): string[] {
  const inPath = parameters.filter((parameter) => parameter.in === "path").map((parameter) => parameter.name);
  const inName = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  return [
    ...(/^[A-Z].*[^.]$/.test(summary) ? [] : ["summary"]),
    ...(tags.length === 1 ? [] : ["tags"]),
    ...(Object.keys(responses).some((status) => /^[12]/.test(status)) ? [] : ["no answer"]),
    ...(Object.values(responses).every(({ description }) => description !== "") ? [] : ["an answer without words"]),
    ...(inPath.toSorted().join(" ") === inName.toSorted().join(" ") ? [] : ["parameters"]),
    ...parameters.filter(({ description = "" }) => !/[a-z]/.test(description)).map((one) => one.name),
  ].map((fault) => `${name}: ${fault}`);
}

it("the description of each route says what it does, what it takes and what it answers", () => {
  expect(described.openapi).toMatch(/^3\.1\./);
  expect(operations().flatMap(([name, operation]) => faultsOf(name, operation))).toEqual([]);
});

it("each operation has an id that was chosen for it", () => {
  const ids = operations().map(([, { operationId }]) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[a-z]+(?:[A-Z][a-z]+)*$/.test(id))).toEqual([]);
  // Those that nobody chose have all words of their path: they belong into the table of `scripts/description/operations.ts`.
  expect(ids.filter((id) => /(?:Tenants|Repos)Tenant/.test(id))).toEqual([]);
});

it("clients find the host, and types by their names", () => {
  expect(described.servers).toMatchObject([{ url: "/" }]);
  const repository = { $ref: "#/components/schemas/Repository" };
  const json = described.paths["/api/v1/repos/{tenant}/{repo}"]?.["get"]?.responses["200"]?.content;
  expect(json).toEqual({ "application/json": { schema: repository } });
  expect(schemas["ListRepositoriesResponse"]).toMatchObject({ properties: { repos: { items: repository } } });
  expect(schemas["Repository"]).toMatchObject({ type: "object", required: expect.arrayContaining(["git_url"]) });
  const names = [...JSON.stringify(specification).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name = ""]) => name,
  );
  expect(names.filter((name) => !(name in schemas))).toEqual([]);
});

it("answers are open, and requests are not", () => {
  const closed = Object.keys(schemas).filter((name) => schemas[name]?.["additionalProperties"] === false);
  expect(closed.length).toBeGreaterThan(5);
  expect(closed.filter((name) => !name.endsWith("Request"))).toEqual([]);
  expect(schemas["CreateTokenRequest"]).toMatchObject({
    type: "object",
    required: ["name", "scopes"],
    additionalProperties: false,
    properties: { scopes: { items: { enum: ["repo:read", "repo:write", "tenant:admin"] } } },
  });
});

it("examples stand beside what they are examples of", () => {
  const body = described.paths["/api/v1/tenants/{tenant}/tokens"]?.["post"]?.requestBody;
  expect(body?.content["application/json"]).toMatchObject({ example: { name: "ci", scopes: ["repo:read"] } });
});

it("the page loads and runs nothing, and has every path", async () => {
  const page = await pageOf(specification);
  const [, policy = ""] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; /);
  expect(policy).not.toContain("unsafe");
  const [, style = ""] = /<style>([^]*?)<\/style>/.exec(page) ?? [];
  expect(style).toContain("body{");
  expect(policy).toContain(`'sha256-${createHash("sha256").update(style).digest("base64")}'`);
  expect(page).not.toMatch(/<script|<link|<img|<iframe|javascript:|\son\w+=/i);
  const links = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link = ""]) => link);
  expect(links.filter((link) => link !== "openapi.json" && !page.includes(`<h3 id="${link.slice(1)}">`))).toEqual([]);
  for (const path of Object.keys(described.paths)) expect(page).toContain(`<code>${path}</code>`);
});
