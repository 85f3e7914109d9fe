/**
 * The part of the platform that pages get beside what all routes get.
 *
 * @packageDocumentation
 */
import type { Host } from "../http/host.ts";
import type { BegunBlames } from "./begun-blames.ts";
import type { BegunChanges } from "./begun-changes.ts";
import type { HostStatus } from "./host-status.ts";

/** Pages that were rendered, each under a name that is made from all that it depends on. */
export interface KeptPages {
  /** Returns a page; `undefined` if there is none. */
  read(key: string): Promise<ArrayBuffer | undefined>;
  /** Keeps a page, also where nobody waits for it. The bytes must not change any more. */
  keep(key: string, bytes: ArrayBuffer): Promise<void>;
}

/** The platform, for one page. */
export interface PageHost {
  /** The state of the sources that render pages: none that another one has rendered is shown. */
  readonly build: string;
  /** Rendered pages that everybody may see. Who may ask for one is decided before. */
  readonly kept: KeptPages;
  /** What this isolate has found of the last changes in directories. */
  readonly changes: BegunChanges;
  /** What this isolate has found of the commits that lines of files come from. */
  readonly blames: BegunBlames;
  /** The secret that cookies and forms are sealed with; absent if the deployment has none, and nobody can sign in. */
  readonly secret: string | undefined;
  /** The port at which clients of SSH reach this host; `undefined` if they can't. */
  readonly sshPort: string | undefined;
  /** Whether the visitor has signed in with a cookie. Their token may have been revoked since. */
  readonly isSignedIn: boolean;
  /** Whether the request came without credentials, so that everybody would be shown the same. */
  readonly isAnonymous: boolean;
  /**
   * Asks the API as the visitor. So a page shows and does what the API shows and does, by the same rules. `path` begins
   * behind `/api/v1`.
   */
  api(path: string, init?: RequestInit): Promise<Response>;
  /** Asks this host for a page as the visitor. */
  page(path: string, init?: RequestInit): Promise<Response>;
  /** Returns the state of the deployment. It is for the operator alone. */
  status(): Promise<HostStatus>;
  /** Asks the server of Git LFS of a repository, `{tenant}/{repo}`, as the visitor. `path` begins behind `/info/lfs`. */
  lfs(repository: string, path: string, init?: RequestInit): Promise<Response>;
}

/** The type of Hono's environment in the routes of pages. */
export type PageEnv = { readonly Variables: { readonly host: Host; readonly page: PageHost } };
