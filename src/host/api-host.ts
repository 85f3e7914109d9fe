/**
 * The platform for one API request: implements {@link ApiHost} on a request's storage.
 *
 * @packageDocumentation
 */
import { repositoryKey } from "../access/names.ts";
import type { ApiHost, MirrorHost } from "../api/api-host.ts";
import { pingByFetch } from "../cloudflare/fetch-receiver.ts";
import type { RequestStorage } from "../cloudflare/open-repository.ts";
import { resealHostKey } from "./host-signature.ts";
import type { RequestHost } from "./request-host.ts";

function mirrorHost(storage: RequestStorage): MirrorHost {
  const { mirrors } = storage;
  return {
    store: (name) => storage.mirror(repositoryKey(name)),
    leastInterval: mirrors.leastInterval,
    secrets: {
      canSeal: () => mirrors.canSeal,
      seal: (secret, context) => mirrors.seal(secret, context),
      open: (secret, context) => mirrors.open(secret, context),
      openNothing: () => mirrors.openNothing(),
    },
  };
}

/**
 * Makes the part of the platform that the API gets beside `host`. `allowPrivate` is whether private networks may be
 * reached.
 */
export function apiHost(
  storage: RequestStorage,
  host: RequestHost,
  given: Pick<ApiHost, "allowPrivate" | "asset" | "flushUsage" | "listsPublic" | "publicPages" | "ticketSecret">,
): ApiHost {
  return {
    settings: (name) => {
      host.identifyAhead(name);
      return storage.settings(repositoryKey(name), {
        right: () => host.rightTo(name),
        follow: (forward) => host.follow(name, forward),
      });
    },
    flushTail: (name) => storage.flushTail(repositoryKey(name)),
    lending: (name) => host.lending(name),
    lfs: (name) => storage.lfs(repositoryKey(name)),
    lfsLinks: (home) => storage.lfsLinks(home),
    lender: (id) => storage.lender(id),
    tenant: (name) => storage.tenant(name),
    resealHostKey: (tenant, key) => resealHostKey(storage, tenant, key),
    directory: () => storage.directory(),
    uploadParts: (id) => storage.uploadParts(id),
    bareFiles: (id) => storage.bareFiles(id),
    hooks: (name) => storage.hooks(repositoryKey(name)),
    pingTenantHook: (tenant, hook) =>
      pingByFetch(hook, tenant, { agent: host.agent, allowPrivate: given.allowPrivate }),
    subscribe: (name, request) => storage.subscribe(repositoryKey(name), request),
    deadLetters: storage.deadLetters,
    ...given,
    mirrors: mirrorHost(storage),
    // It opens the request's memory, which no other request wants opened.
    get backup() {
      return storage.backup;
    },
  };
}
