import { describe, expect, it } from "vitest";
import {
  type EventSocket,
  EventSockets,
  type EventSource,
  MOST_REPLAYED,
} from "../../../../src/durable/repository/event-sockets.ts";
import { parseSubscriptionRequest, type SubscriptionRequest } from "../../../../src/events/subscription.ts";

const ANYBODY: SubscriptionRequest = { id: "r", needsPublic: true };

/** A socket that keeps what it is sent. What it carries is copied, as the runtime does. */
class FakeSocket implements EventSocket {
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: { type: string; seq: number }[] = [];
  code: number | undefined;
  #attachment = "null";

  send(message: string | ArrayBuffer | ArrayBufferView): void {
    if (this.readyState !== 1) throw new TypeError("closed");
    this.sent.push(JSON.parse(typeof message === "string" ? message : "") as { type: string; seq: number });
  }

  close(code?: number): void {
    this.readyState = 2;
    this.code = code;
  }

  serializeAttachment(value: unknown): void {
    this.#attachment = JSON.stringify(value);
  }

  deserializeAttachment(): unknown {
    return JSON.parse(this.#attachment);
  }

  get seqs(): number[] {
    return this.sent.map(({ seq }) => seq);
  }
}

class FakeRepository implements EventSource {
  current: ReturnType<EventSource["record"]> = { id: "r", visibility: "public" };
  before = 0;
  newest = 0;
  nameLength = 10;

  record(): ReturnType<EventSource["record"]> {
    return this.current;
  }

  ends(): { newest: number; before: number } {
    return { newest: this.newest, before: this.before };
  }

  placeBefore(at: number): { seq: number; at: number } {
    return { seq: Math.min(at, this.newest), at };
  }

  movesAfter(seq: number, limit: number): { seq: number; name: string; oldOid: string; newOid: string; at: number }[] {
    const count = Math.min(limit, this.newest - seq);
    const name = "n".repeat(this.nameLength);
    return Array.from({ length: count }, (_, at) => ({ seq: seq + at + 1, name, oldOid: "0", newOid: "1", at: 0 }));
  }
}

function prepared(): {
  repository: FakeRepository;
  sockets: EventSockets;
  join: (request?: Partial<SubscriptionRequest>) => FakeSocket;
  /** The same sockets, to an object that was asleep. */
  woken: () => EventSockets;
  /** How often all sockets were looked at. */
  looks: () => number;
} {
  const repository = new FakeRepository();
  const all: FakeSocket[] = [];
  let looked = 0;
  const look = (): FakeSocket[] => {
    looked += 1;
    return all;
  };
  const woken = (): EventSockets => new EventSockets("acme/one", repository, look);
  const sockets = woken();
  const join = (request: Partial<SubscriptionRequest> = {}): FakeSocket => {
    const socket = new FakeSocket();
    all.push(socket);
    sockets.begin(socket, { ...ANYBODY, ...request });
    return socket;
  };
  return { repository, sockets, join, woken, looks: () => looked };
}

describe("what subscribers are told", () => {
  it("is every move since they came, once, whether the object slept or not", () => {
    const { repository, sockets, join, woken } = prepared();
    repository.newest = 3;
    const early = join();
    repository.newest = 5;
    expect(sockets.tell([])).toBe(false);
    const late = join();
    repository.newest = 6;
    expect(woken().tell([])).toBe(false);
    expect(woken().tell([])).toBe(false);
    expect(early.seqs).toEqual([4, 5, 6]);
    expect(late.seqs).toEqual([6]);
  });

  it("goes on where they were, or says that there is a gap", () => {
    const { repository, sockets, join } = prepared();
    repository.before = 100;
    repository.newest = 103;
    const known = join({ since: 101 });
    const all = join({ since: 0 });
    const old = join({ since: 99 });
    const ahead = join({ since: 104 });
    sockets.tell([]);
    expect(known.seqs).toEqual([102, 103]);
    expect(all.seqs).toEqual([101, 102, 103]);
    expect(old.sent).toEqual([{ type: "gap", repo: "acme/one", since: 99, seq: 103 }]);
    expect(ahead.sent).toMatchObject([{ type: "gap", seq: 103 }]);
    repository.newest = 103 + MOST_REPLAYED;
    expect(join({ since: 103 }).sent[0]).toMatchObject({ type: "ref", seq: 104 });
    expect(join({ since: 102 }).sent).toMatchObject([{ type: "gap", seq: repository.newest }]);
  });

  it("begins with their token, unless they administer or anybody is told more", () => {
    const { repository, sockets, join } = prepared();
    repository.newest = 9;
    const first = (request: Partial<SubscriptionRequest>): number | undefined => {
      const { seqs } = join({ since: 0, needsPublic: false, tokenSince: 5, ...request });
      return seqs[0];
    };
    const record = { id: "r", visibility: "private" } as const;
    repository.current = record;
    expect(first({})).toBe(6);
    expect(first({ administers: true })).toBe(1);
    expect(first({ since: 7 })).toBe(8);
    expect(join({ since: 4, needsPublic: false, tokenSince: 5 }).sent).toMatchObject([{ type: "gap", seq: 9 }]);
    repository.current = { ...record, mirrorSince: { seq: 7, at: 7 } };
    expect(first({})).toBe(8);
    repository.current = { ...record, visibility: "public" };
    expect(first({})).toBe(1);
    repository.current = { ...record, visibility: "public", publicSince: { seq: 3, at: 3 } };
    expect(first({})).toBe(4);
    expect(first({ tokenSince: 2 })).toBe(3);
    sockets.tell([]);
  });

  it("is bounded in one go, and yet arrives in full", () => {
    const { repository, join, woken } = prepared();
    const subscribers = Array.from({ length: 10 }, () => join());
    repository.newest = 3000;
    repository.nameLength = 4000;
    let goes = 1;
    let told = 0;
    while (woken().tell([])) {
      const now = subscribers.reduce((sum, { sent }) => sum + sent.length, 0);
      // Of about 4,100 characters each.
      expect(now - told).toBeLessThan(2100);
      told = now;
      goes += 1;
    }
    expect(goes).toBeGreaterThan(10);
    for (const { seqs } of subscribers) expect(seqs).toEqual(Array.from({ length: 3000 }, (_, at) => at + 1));
  });

  it("moves on by one move at least, however large and however many they are", () => {
    const { repository, sockets, join } = prepared();
    const subscribers = Array.from({ length: 3000 }, () => join());
    repository.newest = 2;
    repository.nameLength = 4000;
    expect(sockets.tell([])).toBe(true);
    expect(sockets.tell([])).toBe(false);
    expect(subscribers.every(({ seqs }) => seqs.join(",") === "1,2")).toBe(true);
  });
});

describe("a subscriber that does not read", () => {
  it("is disconnected, and may come back", () => {
    const { repository, sockets, join } = prepared();
    const slow = join();
    const quick = join();
    slow.bufferedAmount = 2 * 1024 * 1024;
    repository.newest = 1;
    expect(sockets.tell([])).toBe(false);
    expect(slow).toMatchObject({ code: 1013, sent: [] });
    expect(quick.seqs).toEqual([1]);
  });

  it("counts, even on its way out, in what may wait in memory", () => {
    const { repository, sockets, join } = prepared();
    const slow = Array.from({ length: 10 }, () => join());
    for (const socket of slow) socket.bufferedAmount = 2 * 1024 * 1024;
    const quick = join();
    repository.newest = 1;
    expect(sockets.tell([])).toBe(true);
    expect(quick.sent).toEqual([]);
    for (const socket of slow) socket.bufferedAmount = 0;
    expect(sockets.tell([])).toBe(false);
    expect(quick.seqs).toEqual([1]);
  });
});

describe("the circle of those who are told", () => {
  it("is empty for a repository that is gone, or was made anew", () => {
    const { repository, sockets, join } = prepared();
    const first = join();
    repository.current = { id: "another", visibility: "public" };
    repository.newest = 1;
    sockets.tell([]);
    expect(first).toMatchObject({ readyState: 2, code: 1008, sent: [] });
    expect(sockets.admits(ANYBODY)).toBe(false);
    const second = join({ id: "another" });
    repository.current = undefined;
    sockets.sweep();
    expect(second.code).toBe(1008);
  });

  it("excludes those let in because the repository was public, once it is not", () => {
    const { repository, sockets, join } = prepared();
    const anybody = join();
    const reader = join({ needsPublic: false });
    repository.current = { id: "r", visibility: "private" };
    repository.newest = 1;
    sockets.tell([]);
    expect(anybody).toMatchObject({ code: 1008, sent: [] });
    expect(reader.seqs).toEqual([1]);
    expect(sockets.admits(ANYBODY)).toBe(false);
    expect(sockets.admits({ ...ANYBODY, needsPublic: false })).toBe(true);
  });

  it("includes those whose token was looked up, and excludes those whose token is not in force", () => {
    const { repository, sockets, join } = prepared();
    const kept = join({ needsPublic: false, token: "kept" });
    const revoked = join({ needsPublic: false, token: "revoked" });
    expect(sockets.tokens()).toEqual([]);
    repository.newest = 1;
    expect(sockets.tokens()).toEqual(["kept", "revoked"]);
    // Came while the others' tokens were looked up.
    const unknown = join({ needsPublic: false, token: "unknown" });
    repository.newest = 2;
    sockets.dismiss(["revoked"]);
    expect(sockets.tell(["kept"])).toBe(true);
    expect(kept.seqs).toEqual([1, 2]);
    expect(revoked).toMatchObject({ code: 1008, sent: [] });
    expect(unknown).toMatchObject({ readyState: 1, sent: [] });
    expect(sockets.tell(["unknown"])).toBe(false);
    expect(unknown.seqs).toEqual([2]);
  });
});

describe("a new subscriber", () => {
  it("is told what it missed without a look at the others", () => {
    const { repository, sockets, join, looks } = prepared();
    repository.newest = 5;
    for (let at = 0; at < 1000; at++) join();
    const before = looks();
    const late = join({ since: 3 });
    expect(looks() - before).toBe(0);
    expect(late.seqs).toEqual([4, 5]);
    expect(sockets.tell([])).toBe(false);
    expect(late.seqs).toEqual([4, 5]);
  });

  it("is told no more at once than one may be, and the rest with all", () => {
    const { repository, join, woken } = prepared();
    repository.newest = 3000;
    repository.nameLength = 4000;
    const late = join({ since: 0 });
    expect(late.sent.length).toBeGreaterThan(0);
    expect(late.sent.length).toBeLessThan(100);
    while (woken().tell([]));
    expect(late.seqs).toEqual(Array.from({ length: 3000 }, (_, at) => at + 1));
  });

  it("is told nothing at once where as much waits as may, until that is found to have gone", () => {
    const { repository, sockets, join } = prepared();
    repository.newest = 100;
    repository.nameLength = 4000;
    const early = Array.from({ length: 80 }, () => join({ since: 0 }));
    const told = early.filter(({ sent }) => sent.length > 0).length;
    expect(told).toBeLessThan(80);
    expect(early.at(-1)?.sent).toEqual([]);
    while (sockets.tell([]));
    for (const { sent } of early) expect(sent).toHaveLength(100);
  });

  it("is told nothing from before it might have been, unless it administers the repository", () => {
    const { repository, sockets, join } = prepared();
    repository.current = {
      id: "r",
      visibility: "public",
      publicSince: { seq: 5, at: 50 },
      mirrorSince: { seq: 3, at: 30 },
    };
    repository.newest = 7;
    const anybody = join({ since: 0 });
    const reader = join({ since: 0, needsPublic: false });
    const administrator = join({ since: 0, needsPublic: false, administers: true });
    const earlier = join({ since: 4 });
    const knowing = join({ since: 5 });
    sockets.tell([]);
    expect(anybody.seqs).toEqual([6, 7]);
    expect(reader.seqs).toEqual([4, 5, 6, 7]);
    expect(administrator.seqs).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(earlier.sent).toEqual([{ type: "gap", repo: "acme/one", since: 4, seq: 7 }]);
    expect(knowing.seqs).toEqual([6, 7]);
  });
});

it("reads back a request, and nothing that is none", () => {
  const request: SubscriptionRequest = {
    id: "r",
    needsPublic: false,
    administers: true,
    token: "t",
    since: 5,
    holder: "token:t",
  };
  expect(parseSubscriptionRequest(JSON.stringify(request))).toEqual(request);
  expect(parseSubscriptionRequest(JSON.stringify(ANYBODY))).toEqual(ANYBODY);
  for (const text of ["", "null", "1", '{"id":1}', '{"id":"r","needsPublic":1}']) {
    expect(() => parseSubscriptionRequest(text)).toThrow(/JSON|subscription/);
  }
});
