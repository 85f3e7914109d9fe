/**
 * A repository to be maintained: its refs and catalog are tables in memory, and its packs in a {@link TestStore}.
 *
 * @packageDocumentation
 */
import { toHex } from "../../src/bytes/hex.ts";
import type { PackRecord } from "../../src/catalog/pack-record.ts";
import type { PackStorage } from "../../src/catalog/pack-storage.ts";
import { maintain, type Maintained } from "../../src/maintenance/maintain.ts";
import type { MaintenanceRun } from "../../src/refs/maintenance-store.ts";
import { decodeRefRows } from "../../src/refs/ref-rows.ts";
import { create, createdRecord, CREATION, move, push, remove } from "../suites/ref-store.ts";
import { GitRepository } from "./git-repository.ts";
import { type MemoryRefStore, memoryRefStore } from "./memory-ref-store.ts";
import { TINY, TestStore } from "./store.ts";

const MAIN = "refs/heads/main";

/** One repository, which gets what it is to hold from `source`. */
export class MaintainedBed {
  readonly source: GitRepository;
  readonly packs = new TestStore(TINY);
  /** Milliseconds since the epoch. */
  now = 1_700_000_000_000;
  readonly refs: MemoryRefStore = memoryRefStore(() => this.now);
  #names = 0;
  tip = "";

  constructor(source: GitRepository) {
    this.source = source;
  }

  get maintained(): Maintained {
    return this.on(this.packs.counted());
  }

  /** The repository on another storage. */
  on(storage: PackStorage): Maintained {
    const repository = { ...this.packs.repository(), refs: this.refs, storage: () => storage };
    const random = (length: number): Uint8Array => new Uint8Array(length).fill(++this.#names);
    const lfs = {
      sharedLfs: async (after: string, limit: number) =>
        this.refs.database.lfs.reply({ kind: "shared", after, limit }, this.now).shared ?? [],
    };
    return {
      repository: { ...repository, random, now: () => this.now },
      maintenance: this.refs,
      catalog: this.refs,
      lfs,
    };
  }

  /** Pushes each commit by itself. */
  async fill(): Promise<void> {
    for (const commit of this.source.lines(["rev-list", "--reverse", "main"])) {
      const revs = this.tip === "" ? [commit] : [commit, `^${this.tip}`];
      const pack = await this.packs.push(this.source.pack(revs, "--thin"), [commit]);
      const update = this.tip === "" ? create(MAIN, commit) : move(MAIN, this.tip, commit);
      await push(this.refs, [update], { pack });
      this.tip = commit;
    }
  }

  /** Sets a ref to a commit of the source, with what the refs here do not reach, as a thin pack. */
  async set(name: string, to: string): Promise<void> {
    await (
      await this.beginSet(name, to)
    )();
  }

  /**
   * Begins what {@link set} does: checks the push and takes its pack in. Returns what lands it, and then tells whether the ref
   * moved.
   */
  async beginSet(name: string, to: string): Promise<() => Promise<boolean>> {
    const { current, packs } = await this.values();
    const from = current.get(name);
    if (from === to) return async () => true;
    const begun = await this.refs.beginPush({ names: [name], create: CREATION });
    if (begun.kind !== "begun") throw new Error("not begun");
    const revs = [to, ...[...current.values()].map((oid) => `^${oid}`)];
    const bytes = this.source.pack(revs, "--thin");
    this.packs.packs = [...packs];
    const pack = bytes.readUInt32BE(8) === 0 ? undefined : await this.packs.ingest(bytes, { tips: [to] });
    if (pack !== undefined) await this.refs.beginPush({ names: [], packName: pack.name });
    const forward = from !== undefined && this.source.run(["merge-base", "--is-ancestor", from, to]).ok;
    const update = from === undefined ? create(name, to) : move(name, from, to, forward);
    return async () => {
      const answer = await this.refs.commitPush({
        id: begun.record.id,
        version: begun.version,
        ...(pack === undefined ? {} : { pack }),
        updates: [update],
        atomic: false,
        actor: "tester",
        pusher: {},
        signed: false,
        pushOptions: [],
      });
      const isMoved = answer.kind === "done" && answer.outcomes[0]?.kind === "ok";
      if (pack !== undefined && !isMoved) {
        await this.packs.storage.deletePack(pack.name);
        await this.refs.abandonPush(pack.name);
      }
      return isMoved;
    };
  }

  /** Deletes a ref. Returns whether it is gone: the branch that HEAD names stays. */
  async delete(name: string): Promise<boolean> {
    const { current } = await this.values();
    const { kinds } = await push(this.refs, [remove(name, current.get(name) ?? "")]);
    return kinds[0] === "ok";
  }

  /** The catalog, and the refs by name. */
  async values(): Promise<{ packs: readonly PackRecord[]; current: Map<string, string> }> {
    const opened = await this.refs.open({ packs: true, refPrefixes: [] });
    if (opened.kind === "missing") return { packs: [], current: new Map() };
    const rows = decodeRefRows(opened.refs, 20);
    return { packs: opened.packs, current: new Map(Array.from(rows, ({ name, oid }) => [name, toHex(oid)])) };
  }

  /** The marks of the catalog's packs. */
  async marks(): Promise<boolean[]> {
    return (await this.values()).packs.map(({ marked }) => marked);
  }

  /** Does steps until none is due. */
  async settle(): Promise<MaintenanceRun[]> {
    const id = await this.id();
    const runs: MaintenanceRun[] = [];
    for (;;) {
      const run = await maintain(this.maintained, id);
      if (run.outcome === "nothing") return runs;
      runs.push(run);
      if (runs.length > 20) throw new Error("there is no end to it");
    }
  }

  async id(): Promise<string> {
    return (await createdRecord(this.refs)).id;
  }

  /** Clones what the catalog names, and has git look at it. Returns the objects that came, and the packs' names. */
  async cloned(): Promise<{ objects: string[]; names: string[] }> {
    const opened = await this.refs.open({ packs: true });
    if (opened.kind === "missing") throw new Error("missing");
    this.packs.forget();
    this.packs.packs = [...opened.packs];
    this.packs.refs.set(MAIN, { oid: this.tip });
    const client = new GitRepository();
    try {
      client.git(["index-pack", "--stdin", "--strict"], await this.packs.fetch({ wants: [this.tip] }));
      return { objects: client.objects(this.tip), names: opened.packs.map(({ name }) => name) };
    } finally {
      client.dispose();
    }
  }

  /** The packs of which there are files. */
  get stored(): Set<string> {
    return new Set([...this.packs.storage.files.keys()].map((name) => name.slice(0, name.indexOf("."))));
  }
}

/** A storage whose n-th operation fails, before it does anything. */
export function failingAt(storage: PackStorage, n: number): { storage: PackStorage; failed: () => boolean } {
  let left = n;
  const guard = <T extends (...input: never[]) => Promise<unknown>>(work: T): T =>
    (async (...input: never[]) => {
      if (left-- === 0) throw new Error("R2 is away");
      return await work(...input);
    }) as unknown as T;
  return {
    storage: {
      read: guard(storage.read.bind(storage)),
      openStream: guard(storage.openStream.bind(storage)),
      write: guard(storage.write.bind(storage)),
      createUpload: guard(storage.createUpload.bind(storage)),
      delete: guard(storage.delete.bind(storage)),
      deletePack: storage.deletePack.bind(storage),
    },
    failed: () => left < 0,
  };
}
