import { Hono } from "hono";
import { describe as suite, expect, it } from "vitest";
import { describe, descriptionOf } from "../../../src/api/describe.ts";
import { apiRoutes } from "../../../src/api/v1/routes.ts";
import { problemOf } from "../../../src/http/problem.ts";

type Answer = { readonly status: number; readonly code: string; readonly detail: string; readonly errors: unknown };

/** Values of parameters that not every text can be. */
const VALUES: Readonly<Record<string, string>> = { file: "main.tar", oid: "1".repeat(40) };

const routes = apiRoutes();
const described = routes.routes.filter(({ method }) => method !== "ALL");
/** Gives an address that a route takes. */
const addressOf = (path: string): string =>
  path.replaceAll(/:(\w+)(\{[^}]*\})?/g, (_, name: string) => VALUES[name] ?? `some-${name}`);

const unique = [...new Map(described.map((route) => [`${route.method} ${route.path}`, route])).values()];

suite("every route of the API", () => {
  it("is among those that are asked", () => {
    expect(unique.length).toBeGreaterThan(30);
  });

  it.each(unique.map(({ method, path }) => [method, path]))(
    "%s %s refuses what it does not know",
    async (method, path) => {
      const ask = async (query: string): Promise<Answer> =>
        await (await routes.request(addressOf(path) + query, { method })).json<Answer>();
      expect(await ask("?nonsense=1")).toMatchObject({
        status: 422,
        code: "unknown_parameter",
        errors: [{ parameter: "nonsense", detail: expect.stringMatching(/^unknown parameter "nonsense"/) }],
      });
      expect(await ask("?limit=%zz")).toMatchObject({ status: 422, code: "malformed_parameter" });
      expect(await ask("?cursor=%ff")).toMatchObject({ status: 422, code: "malformed_parameter" });
    },
  );
});

suite("a request that is to be done once", () => {
  /** Where a key is taken: all that makes something new each time, or moves refs. */
  const KEYED = new Set(
    [
      "commits",
      "merges",
      "cherry-picks",
      "reverts",
      "refs",
      "tags",
      "notes/:rev{[^]+}",
      "commits/:oid{[0-9a-f]+}/statuses",
    ].map((path) => `POST /repos/:tenant/:repo/${path}`),
  ).add("PUT /repos/:tenant/:repo/refs/:name{[^]+}");
  const changing = unique.filter(({ method }) => method !== "GET");

  it("is one of those whose route says so", () => {
    const said = described.filter(({ handler }) => descriptionOf(handler)?.takesKey === true);
    expect(new Set(said.map(({ method, path }) => `${method} ${path}`))).toEqual(KEYED);
  });

  it.each(
    changing.filter(({ method, path }) => !KEYED.has(`${method} ${path}`)).map(({ method, path }) => [method, path]),
  )("%s %s refuses a key", async (method, path) => {
    const headers = { "Idempotency-Key": "once" };
    const answer = await (await routes.request(addressOf(path), { method, headers })).json<Answer>();
    expect([answer.status, answer.detail]).toEqual([422, expect.stringMatching(/^Idempotency-Key: this takes none/)]);
  });
});

suite("a route with parameters", () => {
  const answers = { 200: { about: "Well." } };
  const app = new Hono();
  const query = { cursor: { about: "Where." }, limit: { about: "How many." } };
  app.get("/", describe({ tag: "host", summary: "Lists", query, answers }), (context) => context.json({}));
  app.onError((error) => problemOf(error));
  const ask = async (text: string): Promise<Answer> => await (await app.request(`/?${text}`)).json<Answer>();

  it("takes what it knows", async () => {
    expect((await app.request("/?limit=1&cursor=x")).status).toBe(200);
    expect((await app.request("/")).status).toBe(200);
  });

  it("guesses what was meant", async () => {
    expect((await ask("limt=1")).detail).toBe('unknown parameter "limt"; did you mean "limit"?');
    expect((await ask("page=1")).detail).toBe('unknown parameter "page"; this takes cursor, limit');
  });

  it("refuses a parameter that is given twice", async () => {
    expect(await ask("limit=1&limit=2")).toMatchObject({
      status: 422,
      code: "repeated_parameter",
      errors: [{ parameter: "limit" }],
    });
  });
});
