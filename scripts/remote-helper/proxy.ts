/**
 * Finds the proxy for a host, and leads a connection through it.
 *
 * @packageDocumentation
 * @see git-config(1) `http.proxy`, curl(1)
 */
import { type ClientRequest, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { Socket } from "node:net";

/** Whether NO_PROXY names a host: as it is, or with a domain above it. */
function isExcepted(host: string, names: string): boolean {
  return names.split(/[\s,]+/).some((name) => {
    const bare = name.replace(/^\*?\./, "").toLowerCase();
    return name === "*" || (bare !== "" && (host === bare || host.endsWith(`.${bare}`)));
  });
}

/** Returns the proxy for a URL; `undefined` if there is none. `configured` is git's own setting, which comes first. */
export function proxyFor(
  url: URL,
  configured: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): URL | undefined {
  const variable = (name: string): string | undefined => environment[name.toLowerCase()] ?? environment[name];
  const named = url.protocol === "https:" ? variable("HTTPS_PROXY") : environment["http_proxy"];
  const proxy = configured ?? named ?? variable("ALL_PROXY") ?? "";
  if (proxy === "" || isExcepted(url.hostname.toLowerCase(), variable("NO_PROXY") ?? "")) return undefined;
  return new URL(proxy.includes("://") ? proxy : `http://${proxy}`);
}

/** Opens a connection to a host through a proxy. @throws Error in the proxy's words, or those of the platform */
export async function throughProxy(proxy: URL, target: URL): Promise<Socket> {
  const port = target.port === "" ? (target.protocol === "https:" ? "443" : "80") : target.port;
  const path = `${target.hostname}:${port}`;
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const headers = {
    Host: path,
    ...(proxy.username === "" ? {} : { "Proxy-Authorization": `Basic ${Buffer.from(login).toString("base64")}` }),
  };
  const options = {
    host: proxy.hostname,
    port: proxy.port === "" ? undefined : proxy.port,
    method: "CONNECT",
    path,
    headers,
  };
  const request: ClientRequest = (proxy.protocol === "https:" ? secureRequest : plainRequest)({
    ...options,
    agent: false,
  });
  return await new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("connect", ({ statusCode, statusMessage }, socket: Socket) => {
      if (statusCode === 200) resolve(socket);
      else reject(new Error(`the proxy ${proxy.host} answered ${statusCode ?? 0} ${statusMessage ?? ""}`));
    });
    request.end();
  });
}
