/**
 * A repository of wide trees, made by a script at any size: each commit has thousands of directories and changes a few of
 * them. Its trees are most of its pack, and what one commit's directories are deltas on lies all over it.
 *
 * @packageDocumentation
 * @see git-fast-import(1)
 */

/** How large the repository is. */
export type WideTrees = {
  readonly commits: number;
  /** Directories that hold directories. */
  readonly groups: number;
  /** Directories in each of them. */
  readonly directories: number;
  /** Files in each of those. */
  readonly files: number;
  /** Files that a commit changes, each in another directory. */
  readonly changes: number;
};

/** 20,000 commits and half a million objects. */
export const WIDE: WideTrees = { commits: 20_000, groups: 256, directories: 64, files: 12, changes: 8 };

/** The same at a part of the size: as many commits fewer, and as many directories. */
export function narrowed(part: number): WideTrees {
  const side = Math.sqrt(part);
  const scaled = (figure: number): number => Math.max(2, Math.round(figure / side));
  return {
    ...WIDE,
    commits: Math.round(WIDE.commits / part),
    groups: scaled(WIDE.groups),
    directories: scaled(WIDE.directories),
  };
}

/** Numbers that look random and are always the same. */
class Numbers {
  #state = 0x2545f491;

  below(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % bound;
  }
}

const two = (number: number): string => String(number).padStart(3, "0");

function pathOf({ directories, files }: WideTrees, place: number): string {
  const directory = Math.floor(place / files);
  const group = Math.floor(directory / directories);
  return `group-${two(group)}/directory-${two(directory % directories)}/file-${two(place % files)}.txt`;
}

function commitHead(branch: string, number: number): string {
  const message = `commit ${number}\n`;
  const who = `C O Mitter <committer@example.com> ${1_600_000_000 + number * 60} +0000`;
  return `commit ${branch}\ncommitter ${who}\ndata ${message.length}\n${message}`;
}

function file(path: string, content: string): string {
  return `M 100644 inline ${path}\ndata ${content.length}\n${content}\n`;
}

/** Yields the stream for `git fast-import` that makes the repository on a branch. */
export function* wideTrees(size: WideTrees, branch: string): Generator<string> {
  const { commits, groups, directories, files, changes } = size;
  const places = groups * directories * files;
  const numbers = new Numbers();
  yield commitHead(branch, 0);
  for (let place = 0; place < places; place++) yield file(pathOf(size, place), `first ${place % files}\n`);
  for (let number = 1; number < commits; number++) {
    yield commitHead(branch, number);
    for (let change = 0; change < changes; change++) {
      const place = numbers.below(places);
      const words = Array.from({ length: 12 }, () => numbers.below(2 ** 31).toString(36));
      yield file(pathOf(size, place), `${words.join(" ")}\n`);
    }
  }
}
