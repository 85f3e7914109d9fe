/**
 * Examples of requests and answers. The generator checks each with the schema of its place, so that none can be wrong.
 */

/** The examples of an operation: of its request, and of its answers by status. */
type Examples = { readonly request?: unknown; readonly answers?: Readonly<Record<string, unknown>> };

const TIME = "2026-01-31T12:00:00.000Z";
const OID = "e83c5163316f89bfbde7d9ab23ca2e25604af290";

const TENANT = {
  name: "acme",
  created_at: TIME,
  repos: 1,
  push_to_create: true,
  least_mirror_interval: null,
  usage: { repos: 1, bytes: 317_800_000, objects: 419_403 },
  quotas: { repos: 100, bytes: null, objects: null, largest_blob: null },
};

/** The examples, by the operations' ids. */
export const EXAMPLES: Readonly<Record<string, Examples>> = {
  createTenant: { request: { push_to_create: true, quotas: { repos: 100 } }, answers: { 201: TENANT } },
  getTenant: { answers: { 200: TENANT } },
  createToken: { request: { name: "ci", scopes: ["repo:read"], repos: ["widgets"], expires_in: 2_592_000 } },
  createRepository: {
    request: {
      visibility: "private",
      description: "Widgets",
      token: { name: "agent", scopes: ["repo:write"], expires_in: 3600 },
    },
  },
  updateRepository: {
    request: { visibility: "public", protected: [{ pattern: "main", pushers: ["release-bot"] }] },
  },
  listRefs: {
    answers: { 200: { head: "refs/heads/main", refs: [{ name: "refs/heads/main", oid: OID }] } },
  },
  getTenantUsage: {
    answers: {
      200: {
        stored: { git_bytes: 317_800_000, lfs_bytes: 52_400_000, objects: 419_403 },
        days: [
          {
            date: "2026-01-31",
            requests: 120,
            clones: 4,
            fetches: 30,
            pushes: 6,
            bytes_in: 81_920,
            bytes_out: 1_271_200_000,
            ms: 64_000,
          },
        ],
      },
    },
  },
  setMirror: { request: { upstream: "https://git.example.org/widgets.git", interval: 3600 } },
  createWebhook: { request: { url: "https://ci.example.com/hook", secret: "a long random text", events: ["push"] } },
};
