/**
 * The API's description as a page for people. It loads nothing and runs nothing.
 */
import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { isObject, type Json, type JsonObject } from "./json-schemas.ts";

const METHODS = ["get", "put", "post", "patch", "delete"];

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
h2{margin-top:2.5rem;text-transform:capitalize}h3{margin:1.5rem 0 0;font-size:1rem}code,pre{font:14px/1.4 ui-monospace,monospace}
pre{overflow:auto;padding:.5rem 1rem;background:#8881;max-height:30rem}b{display:inline-block;min-width:4.5rem}p{margin:.25rem 0}
table{border-collapse:collapse}td{padding:0 1rem 0 0;vertical-align:top}`;
/** It is one string: a formatter must not put spaces between the tags, which the hash would have to cover. */
const STYLE_ELEMENT = `<style>${STYLE}</style>`;
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`;

type Html = ReturnType<typeof html>;

function member(json: Json | undefined, ...names: readonly string[]): Json | undefined {
  let at = json;
  for (const name of names) at = isObject(at) ? at[name] : undefined;
  return at;
}

function textOf(json: Json | undefined): string {
  return typeof json === "string" ? json : "";
}

function entriesOf(json: Json | undefined): [string, Json][] {
  return isObject(json) ? Object.entries(json) : [];
}

/** Shows JSON that is closed at first; references lead to their schemas. */
function jsonBlock(title: string, content: Json | undefined): Html | string {
  if (content === undefined || (Array.isArray(content) && content.length === 0)) return "";
  const pieces = JSON.stringify(content, undefined, 2).split(/"#\/components\/schemas\/(\w+)"/);
  const shown = pieces.map((piece, at) => (at % 2 === 0 ? piece : html`<a href="#${piece}">${piece}</a>`));
  return html`<details>
    <summary>${title}</summary>
    <pre>${shown}</pre>
  </details>`;
}

function bodyBlocks(title: string, body: Json): Html {
  const json = member(body, "content", "application/json");
  return html`${jsonBlock(title, member(json, "schema"))}${jsonBlock(`example of the ${title}`, member(json, "example"))}`;
}

function operationBlock(path: string, method: string, operation: JsonObject): Html {
  const responses = entriesOf(operation["responses"]);
  const good = responses.filter(([status]) => status.startsWith("2"));
  return html`<h3 id="${textOf(operation["operationId"])}"><b>${method.toUpperCase()}</b> <code>${path}</code></h3>
    <p>${textOf(operation["summary"])}. ${textOf(operation["description"])}</p>
    <table>
      ${responses.map(
        ([status, answer]) =>
          html`<tr>
            <td>${status}</td>
            <td>${textOf(member(answer, "description"))}</td>
          </tr>`,
      )}
    </table>
    ${jsonBlock("parameters", operation["parameters"])}
    ${operation["requestBody"] === undefined ? "" : bodyBlocks("request", operation["requestBody"])}
    ${good.map(([status, answer]) => bodyBlocks(`answer ${status}`, answer))}`;
}

/** Makes the page. Everything that comes from the description is escaped. */
export async function pageOf(specification: JsonObject): Promise<string> {
  const operations = entriesOf(specification["paths"]).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = member(item, method);
      if (!isObject(operation)) return [];
      const { tags } = operation;
      return [{ path, method, operation, tag: Array.isArray(tags) ? textOf(tags[0]) : "" }];
    }),
  );
  const schemas = entriesOf(member(specification, "components", "schemas"));
  const page = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}" />
        <meta name="viewport" content="width=device-width" />
        <title>thinpack API</title>
        ${raw(STYLE_ELEMENT)}
      </head>
      <body>
        <h1>thinpack API, version 1</h1>
        <p>
          ${textOf(member(specification, "info", "description"))} For machines: <a href="openapi.json">openapi.json</a>.
        </p>
        ${[...new Set(operations.map(({ tag }) => tag))].map(
          (tag) =>
            html`<h2>${tag}</h2>
              ${operations
                .filter((each) => each.tag === tag)
                .map(({ path, method, operation }) => operationBlock(path, method, operation))}`,
        )}
        <h2>schemas</h2>
        ${schemas.map(
          ([name, schema]) =>
            html`<h3 id="${name}">${name}</h3>
              ${jsonBlock("schema", schema)}`,
        )}
      </body>
    </html>`;
  return String(page);
}
