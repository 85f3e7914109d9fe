/**
 * The architecture as data: each folder of `src/`, its ring, and the folders that it may import beside itself.
 * `check-layers.ts` holds the code to this table, and compares it with every other list of folders: the compiler's, the
 * linter's and the documentation's.
 */

/** One folder of `src/`. */
export type Layer = {
  /** Rings import downwards, or within themselves from a folder that stands above in the table. */
  readonly ring: number;
  /** Names of folders, with spaces between. */
  readonly imports: string;
};

/** The folders of `src/`, each after those that it imports. The one that does not exist yet (`web`) has its place already. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  bytes: { ring: 0, imports: "" },
  kernel: { ring: 0, imports: "bytes" },
  object: { ring: 1, imports: "bytes kernel" },
  wire: { ring: 1, imports: "bytes object" },
  format: { ring: 1, imports: "bytes kernel object" },
  diff: { ring: 1, imports: "bytes kernel object" },
  catalog: { ring: 2, imports: "bytes" },
  store: { ring: 2, imports: "bytes kernel object format catalog" },
  refs: { ring: 2, imports: "bytes object catalog" },
  graph: { ring: 2, imports: "bytes kernel object format catalog store" },
  access: { ring: 2, imports: "bytes" },
  events: { ring: 2, imports: "bytes object access" },
  signing: { ring: 2, imports: "bytes" },
  merge: { ring: 2, imports: "bytes object diff" },
  repository: { ring: 2, imports: "bytes kernel object catalog store refs graph" },
  packing: { ring: 3, imports: "bytes kernel object format catalog store refs graph repository" },
  service: {
    ring: 3,
    imports: "bytes kernel object wire format diff catalog store refs graph merge repository packing",
  },
  writing: {
    ring: 3,
    imports: "bytes kernel object format diff catalog store refs graph merge repository packing service",
  },
  mirror: { ring: 3, imports: "bytes kernel object wire format catalog store refs graph access repository packing" },
  maintenance: { ring: 3, imports: "bytes kernel object wire format catalog store refs graph repository packing" },
  browse: { ring: 3, imports: "bytes kernel object format diff catalog store refs graph repository" },
  lfs: { ring: 3, imports: "bytes object refs access repository" },
  durable: { ring: 4, imports: "bytes object catalog refs access events signing" },
  cloudflare: {
    ring: 4,
    imports: "bytes kernel object catalog store refs access events signing repository mirror maintenance lfs durable",
  },
  http: { ring: 5, imports: "bytes object wire refs access signing repository service writing browse lfs" },
  ssh: { ring: 5, imports: "bytes signing" },
  doors: { ring: 5, imports: "bytes wire access service http ssh" },
  api: {
    ring: 5,
    imports:
      "bytes object diff catalog refs access events signing repository service writing mirror maintenance browse lfs http",
  },
  web: { ring: 5, imports: "bytes object diff refs access repository browse http" },
  host: {
    ring: 6,
    imports: "bytes refs access signing repository service maintenance lfs cloudflare http ssh doors api web",
  },
};

/**
 * Files that only some may import, and these: what changes refs is one transaction. A fork's first refs are written with
 * the fork, and a step of the schema may spell names otherwise; neither moves a ref.
 */
export const IMPORTERS: Readonly<Record<string, readonly string[]>> = {
  "durable/repository/tables/ref-writes.ts": [
    "durable/repository/commit-push.ts",
    "durable/repository/fork-database.ts",
    "durable/repository/schema.ts",
  ],
};

/** The table of refs, and the only file whose SQL may write to it. */
export const REFS = { table: "refs", writer: "durable/repository/tables/ref-writes.ts" } as const;

/**
 * Files whose SQL writes to tables that it does not name. Those of repositories take or give all rows of one: where it is restored, moved to another name, or
 * emptied. None moves a ref.
 */
export const WHOLE_TABLES: readonly string[] = [
  "durable/repository/move-database.ts",
  "durable/repository/schema.ts",
  "durable/sql/object-copy.ts",
  "durable/sql/staged-text.ts",
  "durable/tenant/tables/tokens.ts",
  "durable/tenant/tenant-belongings.ts",
];

/** Returns the names of the folders of these rings, in the order of the table. */
export function foldersOf(first: number, last: number): string[] {
  return Object.entries(LAYERS)
    .filter(([, { ring }]) => ring >= first && ring <= last)
    .map(([folder]) => folder);
}
