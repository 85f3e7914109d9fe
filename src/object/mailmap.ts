/**
 * Mailmaps: files that say which names and addresses of commits belong to one person.
 *
 * ```
 * Proper Name <commit@address>
 * <proper@address> <commit@address>
 * Proper Name <proper@address> <commit@address>
 * Proper Name <proper@address> Commit Name <commit@address>
 * ```
 *
 * @packageDocumentation
 * @see gitmailmap(5)
 */

/** Who somebody is. */
export type Person = { readonly name: string; readonly email: string };

/** What stands in place of a name and an address; what is `undefined` stays as it is. */
type Proper = { name?: string | undefined; email?: string | undefined };

/** What is known of an address: for whoever commits with it, and for those who do so by some name. */
type Known = { readonly all: Proper; byName?: Map<string, Proper> };

/** A name with an address behind it; the name may be missing. */
type Part = { readonly name: string | undefined; readonly email: string; readonly rest: string };

/** What git counts as white space. */
const SPACE = " \t\n\r";

/** Lowers the ASCII letters alone, as git compares addresses and names. */
function folded(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Returns a part of a text without the white space around it. */
function trimmed(text: string, end: number): string {
  let [from, to] = [0, end];
  while (from < to && SPACE.includes(text.charAt(from))) from++;
  while (to > from && SPACE.includes(text.charAt(to - 1))) to--;
  return text.slice(from, to);
}

function readPart(text: string, mayBeEmpty: boolean): Part | undefined {
  const left = text.indexOf("<");
  const right = left < 0 ? -1 : text.indexOf(">", left + 1);
  if (right < 0 || (!mayBeEmpty && right === left + 1)) return undefined;
  const name = trimmed(text, left);
  return { name: name === "" ? undefined : name, email: text.slice(left + 1, right), rest: text.slice(right + 1) };
}

/** A mailmap. */
export class Mailmap {
  /** By addresses of commits, in lower case. */
  readonly #known = new Map<string, Known>();

  /** Reads the text of a mailmap. As git does, it passes over lines that it does not understand. */
  constructor(text = "") {
    for (const line of text.split("\n")) if (!line.startsWith("#")) this.#add(line);
  }

  /** Returns who somebody is that made a commit by this name and address. */
  properOf({ name, email }: Person): Person {
    const known = this.#known.get(folded(email));
    if (known === undefined) return { name, email };
    const proper = known.byName?.get(folded(name)) ?? known.all; // The address alone decides for other names.
    return { name: proper.name ?? name, email: proper.email ?? email }; // What a line leaves out stays as it is.
  }

  #add(line: string): void {
    const first = readPart(line, false);
    if (first === undefined) return;
    const second = first.rest === "" ? undefined : readPart(first.rest, true);
    const address = folded(second === undefined ? first.email : second.email);
    const email = second === undefined ? undefined : first.email;
    let known = this.#known.get(address);
    if (known === undefined) {
      known = { all: {} };
      this.#known.set(address, known);
    }
    if (second?.name !== undefined) {
      known.byName ??= new Map();
      known.byName.set(folded(second.name), { name: first.name, email });
      return;
    }
    if (first.name !== undefined) known.all.name = first.name;
    if (email !== undefined) known.all.email = email;
  }
}
