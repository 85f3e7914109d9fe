/**
 * isomorphic-git, which is git in JavaScript: what browsers and editors in them use.
 *
 * @packageDocumentation
 */
import fs from "node:fs";
import { add, annotatedTag, clone, commit, fetch as fetchRefs, push } from "isomorphic-git";
import http from "isomorphic-git/http/node";
import type { GitProgram, PushedRef, Remote } from "./git-client-program.ts";

const author = { name: "A U Thor", email: "author@example.com" };

/** Gives what every call to a remote needs. It asks for credentials once, and gives up where they are not taken. */
function reaching({ url, token }: Remote, dir: string): Parameters<typeof clone>[0] {
  return {
    fs,
    http,
    dir,
    url,
    ...(token === "" ? {} : { onAuth: () => ({ username: "git", password: token }) }),
    onAuthFailure: () => ({ cancel: true }),
  };
}

class IsomorphicGit implements GitProgram {
  readonly name = "isomorphic-git";

  missing(): undefined {
    return undefined;
  }

  async clone(remote: Remote, directory: string): Promise<void> {
    await clone(reaching(remote, directory));
  }

  async cloneShallow(remote: Remote, directory: string, depth: number): Promise<void> {
    await clone({ ...reaching(remote, directory), depth, singleBranch: true, noTags: true });
  }

  async fetch(remote: Remote, directory: string): Promise<void> {
    await fetchRefs({ ...reaching(remote, directory), remote: "origin", tags: true });
  }

  async commit(dir: string, file: string, message: string): Promise<void> {
    await add({ fs, dir, filepath: file });
    await commit({ fs, dir, message, author });
  }

  async tag(dir: string, name: string): Promise<void> {
    await annotatedTag({ fs, dir, ref: name, message: "a tag\n", tagger: author });
  }

  async push(remote: Remote, directory: string, { from, to, force = false }: PushedRef): Promise<void> {
    // A deletion has to name some ref that is there.
    const what = from === "" ? { ref: "refs/heads/main", delete: true } : { ref: from };
    await push({ ...reaching(remote, directory), ...what, remoteRef: to, force });
  }
}

/** isomorphic-git. */
export const isomorphicGit: GitProgram = new IsomorphicGit();
