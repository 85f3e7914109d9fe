/**
 * Requests by the API's own description: such as fit it, such as nearly do, and such as do not; and what is wrong with an answer.
 *
 * @packageDocumentation
 */
import * as fc from "fast-check";
import { type Agent, request as openRequest } from "node:http";
import { type Schema, Schemas, texts } from "./json-schema.ts";
import { WAIT_LIMIT } from "./time-limits.ts";

const METHODS = ["get", "put", "post", "patch", "delete"] as const;

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;
type Response = { readonly content?: Content };
type Parameter = { readonly in: "path" | "query"; readonly name: string; readonly schema: Schema };
/** An operation of the description. */
type Described = {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Response>>;
};
/** The document. */
type Description = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};
/** An operation, with where it is. */
export type Operation = {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly described: Described;
};

/** What is sent. */
export type Sent = {
  readonly method: string;
  readonly path: string;
  readonly who: string | undefined;
  readonly type: string | undefined;
  readonly body: Buffer | undefined;
  /** Headers besides. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the request is in some way none that the description has. */
  readonly isStrange: boolean;
};
/** What comes back. */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
};

/** Sends a request as it is: no client makes a better one of it. @throws Error if no answer comes */
export async function sendRaw(base: string, sent: Sent, agent: Agent): Promise<Answer> {
  const { method, path, who, type, body } = sent;
  const { hostname, port } = new URL(base);
  const headers = {
    ...sent.headers,
    ...(who === undefined ? {} : { Authorization: `Bearer ${who}` }),
    ...(type === undefined ? {} : { "Content-Type": type }),
    ...(body === undefined ? {} : { "Content-Length": String(body.length) }),
  };
  return await new Promise<Answer>((resolve, reject) => {
    const asked = openRequest({ agent, hostname, port, method, path, headers }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces) }),
      );
    });
    asked.setTimeout(WAIT_LIMIT, () => asked.destroy(new Error(`no answer to ${method} ${path}`)));
    asked.on("error", reject);
    asked.end(body);
  });
}

/** The operations of a host's API. */
export class DescribedApi {
  readonly operations: readonly Operation[];
  readonly #schemas: Schemas;
  readonly #base: string;
  /** Texts that mean something to the host. */
  readonly #words: readonly string[];
  readonly #tokens: readonly (string | undefined)[];

  private constructor(base: string, { paths, components }: Description, known: Known) {
    this.#base = base;
    this.#words = known.words;
    this.#tokens = known.tokens;
    this.#schemas = new Schemas(components.schemas);
    this.operations = Object.entries(paths).flatMap(([path, item]) =>
      METHODS.flatMap((method) => {
        const described = item[method];
        if (described === undefined) return [];
        return [{ name: described.operationId, method: method.toUpperCase(), path, described }];
      }),
    );
  }

  /** Reads the description that a host serves. */
  static async read(base: string, known: Known): Promise<DescribedApi> {
    const answer = await fetch(`${base}/api/v1/openapi.json`);
    return new DescribedApi(base, await answer.json<Description>(), known);
  }

  /** Gives requests to an operation. */
  requestsTo(operation: Operation): fc.Arbitrary<Sent> {
    const { method } = operation;
    const methods = fc.constantFrom(...METHODS.map((each) => each.toUpperCase()));
    return fc
      .record({
        path: pathsOf(operation, this.#words),
        who: fc.constantFrom(...this.#tokens),
        content: bodiesOf(operation, this.#schemas, this.#words),
        other: fc.oneof({ arbitrary: fc.constant(method), weight: 19 }, { arbitrary: methods, weight: 1 }),
      })
      .map(({ path, who, content, other }) => ({ method: other, path, who, ...content, isStrange: other !== method }));
  }

  /** Sends a request as it is. */
  async send(sent: Sent, agent: Agent): Promise<Answer> {
    return await sendRaw(this.#base, sent, agent);
  }

  /** Returns what is wrong with an answer; `undefined` where the description has it. */
  faultOf({ described }: Operation, sent: Sent, answer: Answer): string | undefined {
    const { status, body } = answer;
    if (status >= 500 && ![501, 503].includes(status)) return `${status} is a fault of the host's`;
    const problem = status >= 400 ? this.#problemFault(answer) : undefined;
    if (problem !== undefined) return problem;
    const header = HEADERS[status];
    if (header !== undefined && !header[1].test(headerOf(answer, header[0]))) return `${status} without ${header[0]}`;
    if ((status === 204 || status === 304) && body.length > 0) return `${status} with a body`;
    const path = new URL(sent.path, "http://x").pathname;
    // Another method, or a path that became that of another operation.
    if (sent.isStrange || path !== sent.path.split("?")[0] || /\/(?:\/|$)/.test(path)) return undefined;
    const found = described.responses[status];
    // What does not have the form of a parameter may be a path that takes another method.
    if (found === undefined && status === 405 && this.#isOthers(described, path)) return undefined;
    if (found === undefined) return `${status} is not described`;
    const [type, content] = Object.entries(found.content ?? {})[0] ?? [];
    if (status >= 300 || type !== "application/json" || content?.schema === undefined) return undefined;
    const given = headerOf(answer, "content-type");
    if (!given.startsWith(type)) return `the type ${given} is not described`;
    const fault = this.#schemas.fault(content.schema, JSON.parse(body.toString()));
    return fault === undefined ? undefined : `the body ${fault}`;
  }

  /** Whether a path may be that of another operation. */
  #isOthers(described: Described, path: string): boolean {
    const others = this.operations.filter((operation) => operation.described !== described);
    return others.some((other) => new RegExp(`^${other.path.replaceAll(/\{\w+\}/g, ".+")}$`).test(path));
  }

  #problemFault(answer: Answer): string | undefined {
    const type = headerOf(answer, "content-type");
    if (type !== "application/problem+json") return `${answer.status} of the type ${type}`;
    const problem = JSON.parse(answer.body.toString()) as { status: number; code: string };
    const fault = this.#schemas.fault(this.#schemas.named("#/components/schemas/Problem"), problem);
    if (fault !== undefined) return `the problem ${fault}`;
    return problem.status === answer.status && /^[a-z_]+$/.test(problem.code)
      ? undefined
      : "the problem is another one";
  }
}

/** What means something to the host: texts, and tokens of which some are in force. */
type Known = { readonly words: readonly string[]; readonly tokens: readonly (string | undefined)[] };

/** Headers that come with a status. */
const HEADERS: Readonly<Record<number, readonly [name: string, form: RegExp]>> = {
  401: ["www-authenticate", /^Basic realm=/],
  405: ["allow", /[A-Z]/],
  429: ["retry-after", /^\d+$/],
  503: ["retry-after", /^\d+$/],
};

const headerOf = ({ headers }: Answer, name: string): string => String(headers[name] ?? "");

/** Encodes a text for an address, as far as one can be. */
export function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** Values of a parameter of the path that lead somewhere, by its name. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  tenant: ["acme"],
  repo: ["open", "closed"],
  rev: ["main"],
  rev_and_path: ["main/file.txt", "main"],
  revs: ["main...main", "main..main"],
  name: ["heads/main", "heads/new"],
  file: ["main.tar.gz", "main.zip"],
};

/** What would end most of what follows is asked of a tenant that nobody needs. */
const ENDING = new Set(["deleteTenant", "updateTenant"]);

function pathsOf({ name: operation, path, described }: Operation, words: readonly string[]): fc.Arbitrary<string> {
  const inPath = described.parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
  const values = inPath.map((name) => {
    const right = name === "tenant" && ENDING.has(operation) ? ["spare"] : PLACES[name];
    const any = texts(words);
    return right === undefined
      ? any
      : fc.oneof({ arbitrary: fc.constantFrom(...right), weight: 9 }, { arbitrary: any, weight: 1 });
  });
  const inQuery = described.parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
  const pair = fc.tuple(
    fc.oneof(
      { arbitrary: fc.constant("x"), weight: 1 },
      { arbitrary: fc.constantFrom(...inQuery, "limit"), weight: 19 },
    ),
    texts(words),
  );
  const query = fc.oneof(
    { arbitrary: fc.constant([]), weight: 2 },
    { arbitrary: fc.array(pair, { maxLength: 2 }), weight: 1 },
  );
  return fc.tuple(fc.tuple(...values), query).map(([chosen, pairs]) => {
    let at = 0;
    const filled = path.replaceAll(/\{\w+\}/g, () => encoded(chosen[at++] ?? "").replaceAll("%2F", "/"));
    const asked = pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&");
    return asked === "" ? filled : `${filled}?${asked}`;
  });
}

function bodiesOf(
  { described }: Operation,
  schemas: Schemas,
  words: readonly string[],
): fc.Arbitrary<Pick<Sent, "type" | "body">> {
  const [type, content] = Object.entries(described.requestBody?.content ?? {})[0] ?? [];
  const none = fc.constant({ type: undefined, body: undefined });
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc
      .constantFrom("{", '{"a":1,"a":2}', "[".repeat(2000), '"\\ud800"', "null", "1", "\u{feff}{}")
      .map((text) => Buffer.from(text)),
  );
  const types = fc.constantFrom(
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16",
    "x",
  );
  const strange = fc.record({ type: types, body: junk.map((bytes) => Buffer.from(bytes)) });
  if (type === undefined) return fc.oneof({ arbitrary: none, weight: 5 }, { arbitrary: strange, weight: 1 });
  const { schema } = content ?? {};
  const fitting = (
    schema === undefined ? junk : schemas.values(schema, words).map((value) => Buffer.from(JSON.stringify(value) ?? ""))
  ).map((bytes) => ({ type, body: Buffer.from(bytes) }));
  return fc.oneof({ arbitrary: fitting, weight: 8 }, { arbitrary: strange, weight: 1 }, { arbitrary: none, weight: 1 });
}
