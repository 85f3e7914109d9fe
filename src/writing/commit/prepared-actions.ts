/**
 * Prepares the actions of a commit: checks their paths, makes blobs of their contents, and finds the blobs that they
 * name. What comes of it depends on no branch, so that it serves for each try.
 *
 * @packageDocumentation
 */
import { decodeBase64 } from "../../bytes/base64.ts";
import { concat } from "../../bytes/chunk.ts";
import { fromHex, toHex } from "../../bytes/hex.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import { FILE_MODE } from "../../object/tree.ts";
import type { KeptBlobStore } from "../../refs/kept-blobs.ts";
import type { ObjectDatabase } from "../../store/object-database.ts";
import { assertActions, assertPaths, type FileAction, type RefusedAction } from "./file-action.ts";
import { checkPath, pathSteps } from "./file-path.ts";
import type { NewObjects } from "./new-objects.ts";

/** An action as a caller asks for it. Which members it may have depends on the action. */
export type ActionOrder = {
  readonly action: "create" | "update" | "upsert" | "delete" | "move" | "chmod" | "symlink" | "gitlink";
  readonly path: string;
  readonly from?: string | undefined;
  readonly content?: string | undefined;
  readonly encoding?: "utf-8" | "base64" | undefined;
  /** The name of a blob that is here. */
  readonly blob?: string | undefined;
  /** Octal digits. */
  readonly mode?: string | undefined;
  /** Where a symbolic link leads. */
  readonly target?: string | undefined;
  /** The commit of a submodule. */
  readonly oid?: string | undefined;
};

type Member = Exclude<keyof ActionOrder, "action">;
type Refusal = Omit<RefusedAction, "index">;

/** The members that each action may have beside its path. */
const MEMBERS: Readonly<Record<ActionOrder["action"], readonly Member[]>> = {
  create: ["content", "encoding", "blob", "mode"],
  update: ["content", "encoding", "blob", "mode"],
  upsert: ["content", "encoding", "blob", "mode"],
  delete: [],
  move: ["from", "content", "encoding", "blob", "mode"],
  chmod: ["mode"],
  symlink: ["target"],
  gitlink: ["oid"],
};
const ALL_MEMBERS = ["from", "content", "encoding", "blob", "mode", "target", "oid"] as const satisfies Member[];

const MODES: Readonly<Record<string, number>> = {
  "100644": FILE_MODE.file,
  "100755": FILE_MODE.executable,
  "120000": FILE_MODE.symlink,
};
const MUST = { create: "not-exist", update: "exist", upsert: undefined } as const;

const encoder = new TextEncoder();

function refuse(member: Refusal["member"], detail: string): Refusal {
  return { member, detail };
}

/** The actions of one commit, one after the other. */
export class PreparedActions {
  readonly actions: FileAction[] = [];
  readonly #contents: NewObjects;
  readonly #rawSize: number;
  #pathCharacters = 0;
  /** The blobs that actions name, by the index of the action. */
  readonly #named = new Map<number, Uint8Array>();

  /** `contents` gets the new blobs. `rawSize`: bytes of an object's name. */
  constructor(contents: NewObjects, rawSize: number) {
    this.#contents = contents;
    this.#rawSize = rawSize;
  }

  /** The paths of all actions. */
  get paths(): string[] {
    return this.actions.flatMap((action) => (action.kind === "move" ? [action.path, action.from] : [action.path]));
  }

  /** Adds the next action. Returns why it can't be done, if it is wrong in itself. @throws LimitExceeded */
  async add(order: ActionOrder): Promise<RefusedAction | undefined> {
    const index = this.actions.length;
    assertActions(index + 1);
    this.#pathCharacters += order.path.length + (order.from?.length ?? 0); // Only a move comes from somewhere.
    assertPaths(this.#pathCharacters);
    await this.#contents.pace(pathSteps(order.path) + (order.from === undefined ? 0 : pathSteps(order.from)));
    const action = await this.#prepare(order);
    if ("member" in action) return { index, ...action };
    this.actions.push(action);
    return undefined;
  }

  /** Finds the blobs that actions name, here or among those that were sent before. Returns the first that is neither. */
  async findMissing(database: ObjectDatabase, kept: KeptBlobStore | undefined): Promise<RefusedAction | undefined> {
    const types = await database.typesOf(concat([...this.#named.values()]));
    const missing = [...this.#named].filter((_, at) => types[at] !== TYPE_NUMBER.blob);
    if (missing.length === 0) return undefined;
    const oids = missing.map(([, oid]) => toHex(oid));
    const answer = await kept?.keptBlobs({ kind: "find", oids });
    for (const blob of answer?.kind === "kept" ? answer.blobs : []) {
      const oid = fromHex(blob.oid);
      if (oid !== undefined) this.#contents.addKept(oid, blob);
    }
    const lost = missing.find(([, oid]) => !this.#contents.has(toHex(oid)));
    return lost === undefined ? undefined : { index: lost[0], ...refuse("blob", "there is no such blob here") };
  }

  /** Returns the index of the first action whose content has this name, in hexadecimal; -1 if there is none. */
  indexOf(oid: string): number {
    return this.actions.findIndex((action) => "oid" in action && action.oid !== undefined && toHex(action.oid) === oid);
  }

  async #prepare(order: ActionOrder): Promise<FileAction | Refusal> {
    const stranger = ALL_MEMBERS.find((name) => order[name] !== undefined && !MEMBERS[order.action].includes(name));
    if (stranger !== undefined && stranger !== "encoding") {
      return refuse(stranger, `is not a member of the action ${order.action}`);
    }
    const given = order.mode === undefined ? undefined : MODES[order.mode];
    if (order.mode !== undefined && given === undefined) {
      return refuse("mode", `has to be one of ${Object.keys(MODES).join(", ")}`);
    }
    switch (order.action) {
      case "create":
      case "update":
      case "upsert":
        return await this.#write(order, given, MUST[order.action]);
      case "symlink":
        return await this.#symlink(order);
      case "gitlink":
        return this.#gitlink(order);
      case "move":
        return await this.#move(order, given);
      case "chmod":
        return chmod(order, given);
      case "delete": {
        const path = checkedPath(order.path, FILE_MODE.file);
        return typeof path === "string" ? { kind: "delete", path } : path;
      }
    }
  }

  async #write(order: ActionOrder, mode: number | undefined, must: "exist" | "not-exist" | undefined) {
    const path = checkedPath(order.path, mode ?? FILE_MODE.file);
    if (typeof path !== "string") return path;
    const oid = await this.#contentOf(order);
    if (oid === undefined) return refuse("content", "is missing, and so is a blob");
    if ("member" in oid) return oid;
    return {
      kind: "write",
      path,
      oid,
      ...(mode === undefined ? {} : { mode }),
      ...(must === undefined ? {} : { must }),
    } as const;
  }

  async #symlink({ path: text, target }: ActionOrder): Promise<FileAction | Refusal> {
    const path = checkedPath(text, FILE_MODE.symlink);
    if (typeof path !== "string") return path;
    if (target === undefined || target === "") return refuse("target", "is missing");
    if (!target.isWellFormed() || target.includes("\0")) return refuse("target", "is no path");
    const oid = await this.#contents.add("blob", encoder.encode(target));
    return { kind: "write", path, oid, mode: FILE_MODE.symlink };
  }

  #gitlink({ path: text, oid: hex }: ActionOrder): FileAction | Refusal {
    const path = checkedPath(text, FILE_MODE.gitlink);
    if (typeof path !== "string") return path;
    const oid = this.#nameOf(hex);
    return oid === undefined
      ? refuse("oid", "has to be the full name of a commit")
      : { kind: "write", path, oid, mode: FILE_MODE.gitlink };
  }

  async #move(order: ActionOrder, mode: number | undefined): Promise<FileAction | Refusal> {
    const path = checkedPath(order.path, mode ?? FILE_MODE.file);
    if (typeof path !== "string") return path;
    if (order.from === undefined) return refuse("from", "is missing");
    const from = checkedPath(order.from, FILE_MODE.file);
    if (typeof from !== "string") return { ...from, member: "from" };
    const oid = await this.#contentOf(order);
    if (oid !== undefined && "member" in oid) return oid;
    return {
      kind: "move",
      path,
      from,
      ...(oid === undefined ? {} : { oid }),
      ...(mode === undefined ? {} : { mode }),
    };
  }

  /** Returns the raw name of the content that an action gives, if it gives one. */
  async #contentOf({ content, encoding, blob }: ActionOrder): Promise<Uint8Array | Refusal | undefined> {
    if (content === undefined && blob === undefined) return undefined;
    if (content !== undefined && blob !== undefined) return refuse("blob", "stands beside a content");
    if (content === undefined) {
      const oid = this.#nameOf(blob);
      if (oid === undefined) return refuse("blob", "has to be the full name of a blob");
      this.#named.set(this.actions.length, oid);
      return oid;
    }
    if (encoding !== "base64" && !content.isWellFormed()) return refuse("content", "has half a character");
    const bytes = encoding === "base64" ? decodeBase64(content) : encoder.encode(content);
    return bytes === undefined ? refuse("content", "is not base64") : await this.#contents.add("blob", bytes);
  }

  #nameOf(hex: string | undefined): Uint8Array | undefined {
    const oid = hex === undefined ? undefined : fromHex(hex);
    return oid?.length === this.#rawSize && oid.some((byte) => byte !== 0) ? oid : undefined;
  }
}

function checkedPath(text: string, mode: number): string | Refusal {
  const checked = checkPath(text, mode);
  return "path" in checked ? checked.path : refuse("path", checked.fault);
}

function chmod({ path: text }: ActionOrder, mode: number | undefined): FileAction | Refusal {
  const path = checkedPath(text, FILE_MODE.file);
  if (typeof path !== "string") return path;
  if (mode === undefined || mode === FILE_MODE.symlink) return refuse("mode", "has to be 100644 or 100755");
  return { kind: "chmod", path, mode };
}
