/**
 * The routes of the doors that begin as HTTP. What they lead to is loaded when the first client comes.
 *
 * @packageDocumentation
 */
import { Hono } from "hono";
import { answered } from "../http/git-failure.ts";
import type { HostEnv } from "../http/host.ts";
import { parseProtocolVersion } from "../wire/protocol-version.ts";

/** The routes of Git over WebSocket. Requests that ask for no WebSocket are left to the next handler. */
export function socketRoutes(): Hono<HostEnv> {
  const routes = new Hono<HostEnv>();
  for (const service of ["git-upload-pack", "git-receive-pack", "git-upload-archive"] as const) {
    routes.get(`/:tenant/:repo/${service}`, (context, next) => {
      const { req } = context;
      if (req.header("Upgrade")?.toLowerCase() !== "websocket") return next();
      return answered(async () => {
        const { openWebSocket } = await import("./websocket.ts");
        const { tenant, repo } = req.param();
        const inQuery = req.query("version");
        const asked = req.header("Git-Protocol") ?? (inQuery === undefined ? undefined : `version=${inQuery}`);
        const version = parseProtocolVersion(asked);
        return await openWebSocket({ host: context.var.host, service, version, path: `/${tenant}/${repo}` });
      });
    });
  }
  return routes;
}
