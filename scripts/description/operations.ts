/**
 * The operations of the API, as a client's programmer would name them.
 */

/** Ids by method and path below `/api/v1`. An operation that is not listed gets one from its method and path. */
const IDS: Readonly<Record<string, string>> = {
  "GET /tenants": "listTenants",
  "PUT /tenants/{tenant}": "createTenant",
  "GET /tenants/{tenant}": "getTenant",
  "PATCH /tenants/{tenant}": "updateTenant",
  "DELETE /tenants/{tenant}": "deleteTenant",
  "POST /tenants/{tenant}/adoption": "adoptEarlierNames",
  "GET /tenants/{tenant}/repos": "listRepositories",
  "GET /tenants/{tenant}/usage": "getTenantUsage",
  "GET /mirrors": "listAllMirrors",
  "GET /tenants/{tenant}/mirrors": "listMirrors",
  "GET /tenants/{tenant}/audit": "listAuditLog",
  "GET /tenants/{tenant}/hooks": "listTenantWebhooks",
  "POST /tenants/{tenant}/hooks": "createTenantWebhook",
  "GET /tenants/{tenant}/hooks/{hook}": "getTenantWebhook",
  "PATCH /tenants/{tenant}/hooks/{hook}": "updateTenantWebhook",
  "DELETE /tenants/{tenant}/hooks/{hook}": "deleteTenantWebhook",
  "POST /tenants/{tenant}/hooks/{hook}/pings": "pingTenantWebhook",
  "GET /tenants/{tenant}/hooks/{hook}/deliveries": "listTenantDeliveries",
  "POST /tenants/{tenant}/tokens": "createToken",
  "GET /tenants/{tenant}/tokens": "listTokens",
  "DELETE /tenants/{tenant}/tokens/{id}": "revokeToken",
  "GET /tenants/{tenant}/signing-keys": "listSigningKeys",
  "POST /tenants/{tenant}/signing-keys": "addSigningKey",
  "DELETE /tenants/{tenant}/signing-keys/{fingerprint}": "removeSigningKey",
  "GET /tenants/{tenant}/ssh-keys": "listSshKeys",
  "POST /tenants/{tenant}/ssh-keys": "addSshKey",
  "DELETE /tenants/{tenant}/ssh-keys/{id}": "removeSshKey",
  "GET /repos/{tenant}/{repo}/deploy-keys": "listDeployKeys",
  "POST /repos/{tenant}/{repo}/deploy-keys": "addDeployKey",
  "DELETE /repos/{tenant}/{repo}/deploy-keys/{id}": "removeDeployKey",
  "PUT /repos/{tenant}/{repo}": "createRepository",
  "GET /repos/{tenant}/{repo}": "getRepository",
  "PATCH /repos/{tenant}/{repo}": "updateRepository",
  "DELETE /repos/{tenant}/{repo}": "deleteRepository",
  "GET /repos/{tenant}/{repo}/usage": "getRepositoryUsage",
  "GET /repos/{tenant}/{repo}/refs": "listRefs",
  "POST /repos/{tenant}/{repo}/refs": "updateRefs",
  "PUT /repos/{tenant}/{repo}/refs/{name}": "setRef",
  "DELETE /repos/{tenant}/{repo}/refs/{name}": "deleteRef",
  "POST /repos/{tenant}/{repo}/tags": "createTag",
  "GET /repos/{tenant}/{repo}/export": "getExport",
  "GET /repos/{tenant}/{repo}/export/{key}": "getExportFile",
  "POST /repos/{tenant}/{repo}/forks": "createFork",
  "POST /repos/{tenant}/{repo}/sync": "syncFork",
  "GET /repos/{tenant}/{repo}/reflog": "listPushes",
  "POST /repos/{tenant}/{repo}/reflog/{id}/restore": "restoreRef",
  "GET /repos/{tenant}/{repo}/push-certificates/{id}": "getPushCertificate",
  "GET /repos/{tenant}/{repo}/maintenance": "getMaintenance",
  "POST /repos/{tenant}/{repo}/maintenance": "runMaintenance",
  "GET /repos/{tenant}/{repo}/tree/{rev_and_path}": "listDirectory",
  "GET /repos/{tenant}/{repo}/commits": "listCommits",
  "POST /repos/{tenant}/{repo}/blobs": "createBlob",
  "POST /repos/{tenant}/{repo}/blobs/read": "readBlobs",
  "POST /repos/{tenant}/{repo}/commits": "createCommit",
  "GET /repos/{tenant}/{repo}/commits/{rev}": "getCommit",
  "GET /repos/{tenant}/{repo}/commits/{oid}/statuses": "listStatuses",
  "POST /repos/{tenant}/{repo}/commits/{oid}/statuses": "setStatus",
  "GET /repos/{tenant}/{repo}/compare/{revs}": "compareRevisions",
  "GET /repos/{tenant}/{repo}/diff/{revs}": "diffRevisions",
  "GET /repos/{tenant}/{repo}/last-changes/{rev_and_path}": "listLastChanges",
  "GET /repos/{tenant}/{repo}/blame/{rev_and_path}": "getBlame",
  "GET /repos/{tenant}/{repo}/search": "searchContent",
  "GET /repos/{tenant}/{repo}/files/{rev}": "findFiles",
  "GET /repos/{tenant}/{repo}/raw/{rev_and_path}": "getFile",
  "GET /repos/{tenant}/{repo}/archive/{file}": "getArchive",
  "GET /repos/{tenant}/{repo}/hooks": "listWebhooks",
  "POST /repos/{tenant}/{repo}/hooks": "createWebhook",
  "GET /repos/{tenant}/{repo}/hooks/{hook}": "getWebhook",
  "PATCH /repos/{tenant}/{repo}/hooks/{hook}": "updateWebhook",
  "DELETE /repos/{tenant}/{repo}/hooks/{hook}": "deleteWebhook",
  "GET /repos/{tenant}/{repo}/hooks/{hook}/deliveries": "listDeliveries",
  "POST /repos/{tenant}/{repo}/hooks/{hook}/pings": "pingWebhook",
  "POST /repos/{tenant}/{repo}/hooks/{hook}/deliveries/{delivery}/redeliver": "redeliver",
  "PUT /repos/{tenant}/{repo}/mirror": "setMirror",
  "GET /repos/{tenant}/{repo}/mirror": "getMirror",
  "DELETE /repos/{tenant}/{repo}/mirror": "stopMirror",
  "POST /repos/{tenant}/{repo}/mirror/hook": "receiveMirrorWebhook",
  "POST /repos/{tenant}/{repo}/mirror/sync": "syncMirror",
  "GET /repos/{tenant}/{repo}/events": "streamEvents",
  "POST /repos/{tenant}/{repo}/events/tickets": "createEventTicket",
  "POST /repos/{tenant}/{repo}/uploads": "createUpload",
  "GET /repos/{tenant}/{repo}/uploads/{upload}": "getUpload",
  "PUT /repos/{tenant}/{repo}/uploads/{upload}/parts/{part}": "uploadPart",
  "POST /repos/{tenant}/{repo}/uploads/{upload}/complete": "completeUpload",
  "POST /repos/{tenant}/{repo}/uploads/{upload}/lfs": "completeLfsUpload",
  "DELETE /repos/{tenant}/{repo}/uploads/{upload}": "cancelUpload",
  "GET /openapi.json": "getDescription",
  "GET /docs": "getDocumentation",
};

/** Names of schemas, by where they are found: an operation, `request` or a status, and members on the way. */
export const SCHEMA_NAMES: readonly (readonly [name: string, operation: string, ...path: string[]])[] = [
  ["Repository", "getRepository", "200"],
  ["RefRule", "getRepository", "200", "protected", "[]"],
  ["Tenant", "getTenant", "200"],
  ["ListedTenant", "listTenants", "200", "tenants", "[]"],
  ["NewToken", "createToken", "201"],
  ["Token", "listTokens", "200", "tokens", "[]"],
  ["SigningKey", "addSigningKey", "201"],
  ["SshKey", "addSshKey", "201"],
  ["DeployKey", "addDeployKey", "201"],
  ["Usage", "getTenantUsage", "200"],
  ["DayUsage", "getTenantUsage", "200", "days", "[]"],
  ["Ref", "listRefs", "200", "refs", "[]"],
  ["Push", "listPushes", "200", "pushes", "[]"],
  ["Maintenance", "getMaintenance", "200"],
  ["TreeEntry", "listDirectory", "200", "entries", "[]"],
  ["Commit", "listCommits", "200", "commits", "[]"],
  ["Person", "listCommits", "200", "commits", "[]", "author"],
  ["ChangedFile", "getCommit", "200", "files", "[]"],
  ["Comparison", "compareRevisions", "200"],
  ["Webhook", "getWebhook", "200"],
  ["Delivery", "redeliver", "202"],
  ["Mirror", "getMirror", "200"],
  ["Upload", "getUpload", "200"],
  ["UploadPart", "uploadPart", "200"],
];

/** What each parameter of a path is. */
export const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  tenant: "The tenant's name.",
  repo: "The repository's name.",
  id: "The id, as lists have it.",
  fingerprint: "The key's fingerprint.",
  name: "The ref's name, as in `heads/main`.",
  key: "The file's key, as `export` lists it.",
  hook: "The webhook's id.",
  delivery: "The delivery's id.",
  upload: "The upload's id.",
  part: "The part's number, from 1.",
  oid: "The full name of a commit, in hexadecimal.",
  file: "A revision and an ending, as in `v1.0.tar.gz`.",
  rev: "A revision: a name, then `^`, `^N`, `~N` or `^{type}`.",
  revs: "Two revisions, as in `main...topic`.",
  rev_and_path: "A revision and a path, as in `main/src/app.ts`.",
};

/** Verbs for operations that nobody has named, by method. */
const VERBS: Readonly<Record<string, string>> = {
  GET: "get",
  PUT: "put",
  POST: "post",
  PATCH: "update",
  DELETE: "delete",
};

function capitalised(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

/** Returns the id of an operation, given as its method and its path. */
export function operationId(operation: string): string {
  const chosen = IDS[operation];
  if (chosen !== undefined) return chosen;
  const [method = "", path = ""] = operation.split(" ");
  const words = path.split(/[^A-Za-z]+/).filter((word) => word !== "");
  return `${VERBS[method] ?? method.toLowerCase()}${words.map(capitalised).join("")}`;
}
