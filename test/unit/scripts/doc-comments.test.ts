/** The checks of doc comments, on comments that had once stood here. */
import { describe, expect, it } from "vitest";
import { commentProblems } from "../../../scripts/doc-comments.ts";

const problems = (source: string): number => commentProblems("src/store/some.ts", source).length;

describe("commentProblems()", () => {
  it("finds a doc comment that stands above another", () => {
    expect(problems("\n/** Deltas after which progress is told. */\n/** Bytes of a read. */\nconst BYTES = 1;\n")).toBe(
      1,
    );
    expect(problems("/**\n * A file.\n *\n * @packageDocumentation\n */\n\n/** Bytes. */\nconst BYTES = 1;\n")).toBe(0);
  });

  it("finds a predicate whose comment does not say when it is true", () => {
    expect(problems("/** Whether some object has no name yet. */\nget isSettled(): boolean {\n")).toBe(1);
    expect(problems("/** Says that each chain ends. */\nexport function hasCycle(): boolean {\n")).toBe(1);
    expect(problems("  /** Code points that HFS+ ignores. */\n  readonly isInvisible: boolean;\n")).toBe(1);
  });

  it("takes a comment that says so, whatever follows it", () => {
    expect(problems("/** Whether every object has its name: none is missing. */\nget isSettled(): boolean {\n")).toBe(
      0,
    );
    expect(problems("/**\n * Whether the chain\n * is a cycle.\n */\nasync #hasCycle(): boolean {\n")).toBe(0);
    expect(problems("/** Returns the history. */\nfunction history(): number {\n")).toBe(0);
  });
});
