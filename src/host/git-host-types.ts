/**
 * What other Workers of the account call: the operations of the API as methods, on the repositories of one tenant. A Worker gets it as
 * a service binding to the entrypoint `GitHost`, whose `props` say which tenant that is and what may be done there.
 *
 * The command's package has this file as `thinpack/binding`. It imports nothing, so that it is whole there.
 *
 * @packageDocumentation
 */
/* eslint-disable max-lines -- the command's package has it as one file */

/** What a token may do. Each includes those before it. */
export type GitHostScope = "repo:read" | "repo:write" | "tenant:admin";

/** The `props` of a binding, in the configuration of the Worker that has it. */
export type GitHostProps = {
  /** The tenant of every repository that the methods name. */
  readonly tenant: string;
  readonly scopes: readonly GitHostScope[];
  /** The only repositories that it is for; absent: all of the tenant's. */
  readonly repositories?: readonly string[];
  /** What logs, rules and commits call the binding: letters, digits, `.`, `_` and `-`. Without it: `worker`. */
  readonly name?: string;
  /** Where the host is reached by HTTP, as in `https://git.example.com`, for the addresses in answers. Without it: the host's `ORIGIN`. */
  readonly origin?: string;
};

/** What a refused call throws has this name, and these members beside those of an error. */
export interface GitHostError extends Error {
  readonly name: "GitHostError";
  /** The status that the API answers with, such as 404 or 409. */
  readonly status: number;
  /** The kind of refusal, such as `not_found`. */
  readonly code: string;
  /** The answer as the API gives it: with `current` where a ref is elsewhere, `conflicts` of a merge, `errors` of a body. */
  readonly problem: GitHostProblem;
}

/** @see RFC 9457 */
export type GitHostProblem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly [member: string]: unknown;
};

/** A rule that protects refs. */
export type GitRefRule = {
  readonly pattern: string;
  readonly allow_force_push?: boolean;
  readonly allow_deletion?: boolean;
  readonly pushers?: readonly string[] | null;
  readonly require_signed?: boolean;
  readonly required_contexts?: readonly string[] | null;
};

/** The settings that a repository may be made with. */
export type NewGitRepository = {
  readonly visibility?: "private" | "public";
  readonly default_branch?: string;
  readonly description?: string;
  readonly object_format?: "sha1" | "sha256";
  /** A token for this repository alone, which is made together with it. */
  readonly token?: {
    readonly name: string;
    readonly scopes: readonly ("repo:read" | "repo:write")[];
    /** Seconds. */
    readonly expires_in?: number;
  };
};

/** The settings that may be changed. */
export type GitRepositoryChange = Omit<NewGitRepository, "object_format" | "token"> & {
  /** Renames it. */
  readonly name?: string;
  readonly read_only?: boolean;
  /** Who signs every commit and annotated tag that is made here: the host, with the tenant's key. */
  readonly sign?: "host" | null;
  readonly protected?: readonly GitRefRule[];
};

/** A repository. Times are ISO 8601. */
export type GitRepository = {
  readonly tenant: string;
  readonly name: string;
  readonly id: string;
  readonly visibility: "private" | "public";
  readonly default_branch: string;
  readonly description: string;
  readonly object_format: "sha1" | "sha256";
  readonly read_only: boolean;
  readonly sign: "host" | null;
  readonly protected: readonly GitRefRule[];
  readonly fork_of?: { readonly id: string; readonly name?: string };
  readonly size_bytes: number;
  readonly pushed_at: string | null;
  readonly created_at: string;
  readonly git_url: string;
};

/** What a token may do, and for how long. */
export type NewGitToken = {
  readonly name: string;
  readonly scopes: readonly GitHostScope[];
  readonly repos?: readonly string[];
  /** Seconds. */
  readonly expires_in?: number;
};

/** A token that was made. `token` is its text, which nobody is shown again. */
export type GitToken = {
  readonly id: string;
  readonly token: string;
  readonly name: string;
  readonly scopes: readonly GitHostScope[];
  readonly repos: readonly string[] | null;
  readonly created_at: string;
  readonly expires_at: string | null;
};

/** A page of a list. `cursor` is where the next one begins; absent at the end. */
export type GitPage = { readonly cursor?: string };
/** Which page of a list. */
export type GitPaging = { readonly cursor?: string; readonly limit?: number };

/** A ref. `peeled` is what an annotated tag finally names. */
export type GitRef = { readonly name: string; readonly oid: string; readonly peeled?: string };
export type GitRefs = { readonly head: string; readonly refs: readonly GitRef[] };

export type GitPerson = {
  readonly name: string;
  readonly email: string;
  readonly date: string | null;
  readonly time: number;
};
/** A person of a new commit or tag; without a date it is now. */
export type NewGitPerson = { readonly name: string; readonly email: string; readonly date?: string };

export type GitCommit = {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: GitPerson | null;
  readonly committer: GitPerson | null;
  readonly message: string;
  readonly signed: boolean;
};

/** A file that differs. A path that is not UTF-8 has replacement characters, and is whole in `path_base64`. */
export type GitChangedFile = {
  readonly status: "A" | "D" | "M" | "R" | "T";
  readonly path: string;
  readonly path_base64?: string;
  readonly old_path?: string;
  readonly similarity?: number;
  readonly old_mode?: string;
  readonly old_oid?: string;
  readonly new_mode?: string;
  readonly new_oid?: string;
};

/** An entry of a directory. Only a file has a size, in bytes. */
export type GitTreeEntry = {
  readonly name: string;
  readonly name_base64?: string;
  readonly mode: string;
  readonly type: "blob" | "tree" | "commit";
  readonly oid: string;
  readonly size?: number;
};
export type GitTree = GitPage & {
  readonly commit?: string;
  readonly path: string;
  readonly oid: string;
  readonly entries: readonly GitTreeEntry[];
};

/** A file's content. The stream has to be read or cancelled. */
export type GitFile = { readonly oid: string; readonly size: number; readonly content: ReadableStream<Uint8Array> };

/** What `readBlobs` found, in the order asked for. `content` is base64. */
export type GitBlobs = {
  readonly blobs: readonly {
    readonly path?: string;
    readonly mode?: string;
    readonly oid?: string;
    readonly size?: number;
    readonly content?: string;
    readonly error?: "missing" | "not_a_blob" | "too_large" | "too_much";
  }[];
};

/** What one revision has beyond another. */
export type GitComparison = GitPage & {
  readonly from: string;
  readonly to: string;
  readonly status: "identical" | "ahead" | "behind" | "diverged";
  readonly ahead: number;
  readonly behind: number;
  readonly merge_bases: readonly string[];
  readonly commits: readonly GitCommit[];
  readonly files: readonly GitChangedFile[] | null;
  readonly files_cursor?: string;
};

/** The lines that differ. `hunks` is null for files that are binary or too large. */
export type GitDiff = GitPage & {
  readonly old_tree: string;
  readonly new_tree: string;
  readonly files: readonly (GitChangedFile & {
    readonly binary: boolean;
    readonly too_large: boolean;
    readonly additions: number;
    readonly deletions: number;
    readonly hunks:
      | readonly {
          readonly old_start: number;
          readonly old_lines: number;
          readonly new_start: number;
          readonly new_lines: number;
          readonly heading: string;
          readonly text: string;
        }[]
      | null;
  })[];
};

/** One change to a file. Which members it has depends on the action. */
export type GitAction = {
  readonly action: "create" | "update" | "upsert" | "delete" | "move" | "chmod" | "symlink" | "gitlink";
  readonly path: string;
  readonly from?: string;
  readonly content?: string;
  readonly encoding?: "utf-8" | "base64";
  readonly blob?: string;
  readonly mode?: string;
  readonly target?: string;
  readonly oid?: string;
};

/** A commit that is to be made. */
export type NewGitCommit = {
  readonly branch: string;
  /** Where the branch has to be; `null` if it must not exist. */
  readonly expected_head?: string | null;
  /** Where a new branch begins. */
  readonly base?: string;
  readonly message: string;
  readonly author?: NewGitPerson;
  readonly committer?: NewGitPerson;
  readonly trailers?: readonly { readonly key: string; readonly value: string }[];
  readonly allow_empty?: boolean;
  readonly dry_run?: boolean;
  /** Whether the host signs it, with the tenant's key. */
  readonly sign?: boolean;
  readonly actions: readonly GitAction[];
};

/** A commit that was made, or would be. */
export type MadeGitCommit = {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly branch: string;
  readonly previous: string | null;
};

type Merging = {
  readonly favor?: "ours" | "theirs";
  readonly author?: NewGitPerson;
  readonly committer?: NewGitPerson;
  readonly dry_run?: boolean;
  /** Whether the host signs what it makes, with the tenant's key. */
  readonly sign?: boolean;
  /** A new branch, which gets a commit with the markers of conflicts. */
  readonly materialise?: string;
};
export type GitMerge = Merging & {
  readonly base: string;
  readonly head: string;
  readonly strategy?: "merge" | "squash" | "ff-only" | "rebase";
  readonly expected_base?: string;
  readonly message?: string;
};
export type GitPicks = Merging & {
  readonly branch: string;
  readonly commits: readonly string[];
  readonly mainline?: number;
  readonly expected_head?: string;
};
/** A branch that was moved, or that there was nothing to do. Conflicts are thrown, with status 409. */
export type GitMergeAnswer =
  | (Omit<MadeGitCommit, "previous"> & { readonly previous: string; readonly commits: readonly string[] })
  | { readonly status: "up-to-date" };

/** Where a ref is to be. `null` stands for no ref. */
export type GitRefUpdate = { readonly name: string; readonly old: string | null; readonly new: string | null };
export type GitRefOutcome = {
  readonly name: string;
  readonly status: "ok" | "rejected";
  readonly code?: string;
  readonly detail?: string;
  readonly current?: string | null;
};

export type GitStatusState = "success" | "failure" | "pending" | "error";
export type NewGitStatus = {
  readonly context: string;
  readonly state: GitStatusState;
  readonly description?: string;
  readonly target_url?: string;
};
export type GitStatus = {
  readonly context: string;
  readonly state: GitStatusState;
  readonly description: string | null;
  readonly target_url: string | null;
  readonly actor: string;
  readonly at: string;
};

/** For calls that may be repeated: the same key within a day gives the first answer. */
export type GitHostRetry = { readonly idempotency_key?: string };

/**
 * The methods. They are called as the API's operations are, answer with the same JSON, and pass the same checks. `repo` is a
 * repository's name without its tenant. What is refused throws a {@link GitHostError}: its members come through where the calling
 * Worker has the compatibility flag `enhanced_error_serialization`, which is on by default since 2026-04-21.
 */
export interface GitHost {
  createRepository(repo: string, settings?: NewGitRepository): Promise<GitRepository & { readonly token?: GitToken }>;
  getRepository(repo: string): Promise<GitRepository>;
  updateRepository(repo: string, change: GitRepositoryChange): Promise<GitRepository>;
  deleteRepository(repo: string): Promise<void>;
  listRepositories(paging?: GitPaging): Promise<GitPage & { readonly repos: readonly GitRepository[] }>;
  createToken(token: NewGitToken): Promise<GitToken>;
  revokeToken(id: string): Promise<void>;

  listRefs(repo: string, query?: { readonly prefix?: string }): Promise<GitRefs>;
  setRef(
    repo: string,
    name: string,
    to: { readonly oid: string; readonly expected?: string | null; readonly force?: boolean },
  ): Promise<GitRef & { readonly previous: string | null }>;
  deleteRef(repo: string, name: string, query?: { readonly expected?: string }): Promise<void>;
  updateRefs(
    repo: string,
    order: GitHostRetry & { readonly atomic?: boolean; readonly updates: readonly GitRefUpdate[] },
  ): Promise<{ readonly updates: readonly GitRefOutcome[] }>;
  createTag(
    repo: string,
    tag: GitHostRetry & {
      readonly name: string;
      readonly target: string;
      readonly message: string;
      readonly tagger?: NewGitPerson;
    },
  ): Promise<{ readonly name: string; readonly oid: string; readonly target: string; readonly type: string }>;

  listDirectory(repo: string, rev: string, path?: string, paging?: GitPaging): Promise<GitTree>;
  /** Reads a file. */
  getFile(repo: string, rev: string, path: string): Promise<GitFile>;
  readBlobs(
    repo: string,
    asked: { readonly rev: string; readonly paths: readonly string[] } | { readonly oids: readonly string[] },
  ): Promise<GitBlobs>;
  listCommits(
    repo: string,
    query?: GitPaging & { readonly rev?: string; readonly path?: string },
  ): Promise<GitPage & { readonly commits: readonly GitCommit[] }>;
  getCommit(
    repo: string,
    rev: string,
    paging?: GitPaging,
  ): Promise<GitPage & GitCommit & { readonly files: readonly GitChangedFile[] }>;
  /** Compares as `from...to` does. */
  compareRevisions(
    repo: string,
    from: string,
    to: string,
    paging?: GitPaging & { readonly files_cursor?: string },
  ): Promise<GitComparison>;
  /** Compares `from` with `to` themselves, or, with `merge_base`, their merge base with `to`. */
  diffRevisions(
    repo: string,
    from: string,
    to: string,
    query?: GitPaging & {
      readonly merge_base?: boolean;
      readonly context?: number;
      readonly whitespace?: "exact" | "at-eol" | "change" | "all";
    },
  ): Promise<GitDiff>;

  /** Stores a content for commits of the next day to name. A stream has to be one of bytes, and its size in bytes be said. */
  createBlob(
    repo: string,
    content: ReadableStream<Uint8Array> | ArrayBuffer | ArrayBufferView | string,
    size?: number,
  ): Promise<{ readonly oid: string; readonly size: number }>;
  createCommit(repo: string, commit: GitHostRetry & NewGitCommit): Promise<MadeGitCommit>;
  mergeBranches(repo: string, merge: GitHostRetry & GitMerge): Promise<GitMergeAnswer>;
  cherryPick(repo: string, picks: GitHostRetry & GitPicks): Promise<GitMergeAnswer>;
  revertCommits(repo: string, picks: GitHostRetry & GitPicks): Promise<GitMergeAnswer>;

  createFork(repo: string, fork: { readonly repo: string; readonly tenant?: string }): Promise<GitRepository>;
  syncFork(
    repo: string,
    order?: { readonly branch?: string },
  ): Promise<{ readonly branch: string; readonly old: string | null; readonly oid: string }>;
  listStatuses(
    repo: string,
    oid: string,
  ): Promise<{ readonly oid: string; readonly state: string | null; readonly statuses: readonly GitStatus[] }>;
  setStatus(repo: string, oid: string, status: GitHostRetry & NewGitStatus): Promise<GitStatus>;

  /** Tells of what moves: each line of the stream is a message of JSON. With `since`, it begins behind the message of that `seq`. */
  streamEvents(repo: string, query?: { readonly since?: number }): Promise<ReadableStream<Uint8Array>>;

  /**
   * Sends any request to the host, with the rights of the binding: for what has no method here, and for git itself. What the request says
   * of credentials is passed over.
   */
  fetch(request: Request | URL | string, init?: RequestInit): Promise<Response>;
}
