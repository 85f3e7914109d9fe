/**
 * The Worker's bindings and variables, as `wrangler.toml` and the operator set them.
 *
 * @packageDocumentation
 */
import type { DirectoryObject } from "./durable/tenant/directory-object.ts";
import type { LenderObject } from "./durable/lender/lender-object.ts";
import type { PlacementSettings } from "./durable/placement.ts";
import type { RepositoryObject } from "./durable/repository/repository-object.ts";
import type { TenantObject } from "./durable/tenant/tenant-object.ts";
import type { PresignerSettings } from "./cloudflare/r2-presigner.ts";
import type { Job } from "./events/job.ts";

/** The bindings and variables that the platform passes to every event of the Worker. */
export type Env = PlacementSettings &
  PresignerSettings & {
    readonly BUCKET: R2Bucket;
    readonly KV: KVNamespace;
    readonly REPOSITORIES: DurableObjectNamespace<RepositoryObject>;
    readonly TENANTS: DurableObjectNamespace<TenantObject>;
    readonly DIRECTORY: DurableObjectNamespace<DirectoryObject>;
    readonly LENDERS: DurableObjectNamespace<LenderObject>;
    readonly JOBS: Queue<Job>;
    /** Jobs that sync mirrors, which may take minutes each: no other job waits behind them. */
    readonly MIRROR_JOBS: Queue<Job>;
    /** Steps of maintenance, which may take long: no other job waits behind them. */
    readonly MAINTENANCE_JOBS: Queue<Job>;
    /** Jobs that failed in all their tries come from it; nothing is sent to it. */
    readonly DEAD_JOBS: Queue<Job>;
    /** The files of `build/assets`: the command as a package. */
    readonly ASSETS?: Pick<Fetcher, "fetch">;
    /** Gets a data point for each request; without it none are written. */
    readonly USAGE?: AnalyticsEngineDataset;
    /** Counts wrong tokens by address; without it they are not bounded. */
    readonly LOGIN_LIMIT?: RateLimit;
    /** Counts requests with tokens by tenant; without it they are not bounded. */
    readonly TENANT_LIMIT?: RateLimit;
    /** The operator's token. Without one, nobody is the operator. */
    readonly ADMIN_TOKEN?: string;
    /** The keys by which clients of SSH know the host: see `ssh/host-key.ts`. Without them there is no SSH. */
    readonly SSH_HOST_KEYS?: string;
    /** The ports at which connections for SSH come in, separated by commas: 22 if it is not set. */
    readonly SSH_PORT?: string;
    /** The origin at which this host answers HTTP, for clients that came by SSH. Without it they guess it. */
    readonly ORIGIN?: string;
    /** The secret from which nonces of signed pushes are made. Without one, each repository has its own. */
    readonly PUSH_CERT_SEED?: string;
    /**
     * "1": mirrors and webhooks may reach loopback and private networks, and do so without TLS. It is never set on a
     * deployed host.
     */
    readonly ALLOW_PRIVATE_UPSTREAMS?: string;
    /**
     * Origins, separated by commas, whose pages may change things here and open WebSockets in a browser. Without it only
     * our own pages may.
     */
    readonly ALLOWED_ORIGINS?: string;
    /** "0": nobody is shown a list of public repositories. They can be read all the same. */
    readonly LIST_PUBLIC?: string;
    /** The keys that upstreams' credentials are sealed with: see `cloudflare/sealed-secrets.ts`. */
    readonly MIRROR_KEYS?: string;
    /** The least seconds between two syncs of a mirror. */
    readonly MIRROR_LEAST_INTERVAL?: string;
    /** The seconds after which the packs of small pushes are published in the bucket; 0: at once, each for itself. */
    readonly PUBLISH_AFTER?: string;
    /** "1": syncs run beside one another in one consumer. It is only for the simulator, which has a single consumer. */
    readonly SYNCS_BESIDE?: string;
    /** The most objects of one slice. */
    readonly MIRROR_SLICE_OBJECTS?: string;
  };

/** Whether the operator lets the host reach private networks. */
export function allowsPrivate(env: Env): boolean {
  return env.ALLOW_PRIVATE_UPSTREAMS === "1";
}

/** Whether the operator lets everybody see a list of public repositories. */
export function listsPublic(env: Env): boolean {
  return env.LIST_PUBLIC !== "0";
}

/**
 * Returns the secret that the host makes its own keys from; `undefined` if the deployment has none. An empty one counts
 * as none: everybody would know it.
 */
export function deploymentSecret({ ADMIN_TOKEN }: Pick<Env, "ADMIN_TOKEN">): string | undefined {
  return ADMIN_TOKEN === "" ? undefined : ADMIN_TOKEN;
}
