/**
 * Answers of upload-pack, read without the code under test: what they tell, and the pack.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), gitprotocol-pack(5)
 */

/** An answer, taken apart. */
export type FetchAnswer = {
  /** Whether it says that something is wrong: an `ERR` line, or a message on band 3. */
  readonly isRefusal: boolean;
  /** The lines before the pack by their section, each once and sorted; in versions 0 and 1 the only section is "". */
  readonly told: Readonly<Record<string, readonly string[]>>;
  readonly pack: Buffer | undefined;
};

const SECTIONS = ["acknowledgments", "shallow-info", "wanted-refs", "packfile-uris", "packfile"];

/** Reads an answer. `isSidebandAll`: every line has the number of its band before it. */
export function readFetchAnswer(bytes: Buffer, isSidebandAll: boolean): FetchAnswer {
  const told: Record<string, string[]> = {};
  const pieces: Buffer[] = [];
  let [section, isRefusal, hasPack] = ["", false, false];
  for (let at = 0; at + 4 <= bytes.length;) {
    const head = bytes.toString("latin1", at, at + 4);
    if (head === "PACK") {
      pieces.push(bytes.subarray(at));
      hasPack = true;
      break;
    }
    const length = Number.parseInt(head, 16);
    if (!/^[0-9a-f]{4}$/i.test(head) || at + length > bytes.length) throw new Error(`no pkt-line at ${at}: ${head}`);
    let payload = bytes.subarray(at + 4, at + Math.max(4, length));
    at += Math.max(4, length);
    if (length <= 4) continue;
    const band = payload[0] ?? 0;
    const isBanded = isSidebandAll ? band <= 3 : band <= 3 && (section === "packfile" || section === "");
    if (isBanded) {
      payload = payload.subarray(1);
      if (band === 3) isRefusal = true;
      if (band !== 1) continue;
      if (section === "packfile" || !isSidebandAll) {
        pieces.push(payload);
        hasPack = true;
        continue;
      }
    }
    const line = payload.toString("latin1").trimEnd();
    if (line.startsWith("ERR ")) isRefusal = true;
    else if (SECTIONS.includes(line)) [section, told[line]] = [line, []];
    else (told[section] ??= []).push(line);
  }
  // C git acknowledges an object twice that it was told of twice.
  for (const [name, lines] of Object.entries(told)) told[name] = [...new Set(lines)].toSorted();
  return { isRefusal, told, pack: hasPack ? Buffer.concat(pieces) : undefined };
}
