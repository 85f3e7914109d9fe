import { describe, expect, it } from "vitest";
import {
  MOST_OF_ADDRESS,
  MOST_OF_TOKEN,
  MOST_PUBLIC_SUBSCRIBERS,
  MOST_SUBSCRIBERS,
  type PlaceAnswer,
  SubscriberPlaces,
  type TaggedSockets,
} from "../../../../src/durable/repository/subscriber-places.ts";
import type { SubscriptionRequest } from "../../../../src/events/subscription.ts";

const from = (address: string): SubscriptionRequest => ({ id: "r", needsPublic: true, holder: `address:${address}` });
const withToken = (token: string): SubscriptionRequest => ({
  id: "r",
  needsPublic: false,
  token,
  holder: `token:${token}`,
});
const OPERATOR: SubscriptionRequest = { id: "r", needsPublic: false };

/** The sockets of an object, by their tags. */
class FakeSockets implements TaggedSockets {
  readonly tags: string[][] = [];
  /** How often all sockets, or all of anybody's, were asked for. */
  looks = 0;

  getWebSockets(tag?: string): readonly string[][] {
    if (tag === undefined || tag === "public") this.looks += 1;
    return tag === undefined ? this.tags : this.tags.filter((tags) => tags.includes(tag));
  }
}

function prepared(): {
  sockets: FakeSockets;
  places: SubscriberPlaces;
  join: (request: SubscriptionRequest) => PlaceAnswer;
} {
  const sockets = new FakeSockets();
  const places = new SubscriberPlaces(sockets);
  const join = (request: SubscriptionRequest): PlaceAnswer => {
    const answer = places.admits(request, 0);
    if (answer === "free") sockets.tags.push(places.take(request));
    return answer;
  };
  return { sockets, places, join };
}

describe("places of subscribers", () => {
  it("are shared by address, and by token", () => {
    const { join } = prepared();
    for (let n = 0; n < MOST_OF_ADDRESS; n++) expect(join(from("192.0.2.1"))).toBe("free");
    expect(join(from("192.0.2.1"))).toBe("too-many");
    expect(join(from("192.0.2.2"))).toBe("free");
    for (let n = 0; n < MOST_OF_TOKEN; n++) expect(join(withToken("a"))).toBe("free");
    expect(join(withToken("a"))).toBe("too-many");
    expect(join(withToken("b"))).toBe("free");
  });

  it("are reserved for tokens when many come without one", () => {
    const { places, sockets, join } = prepared();
    for (let n = 0; n < MOST_PUBLIC_SUBSCRIBERS; n++) sockets.tags.push(places.take(from(String(n))));
    expect(join(from("x"))).toBe("full");
    expect(join(withToken("a"))).toBe("free");
    while (sockets.tags.length < MOST_SUBSCRIBERS) sockets.tags.push(places.take(OPERATOR));
    expect(join(withToken("a"))).toBe("full");
    expect(join(OPERATOR)).toBe("full");
  });

  it("are counted once, however many come and go", () => {
    const { places, sockets, join } = prepared();
    join(OPERATOR);
    const first = sockets.looks;
    for (let n = 0; n < 2000; n++) expect(join(from(String(n)))).toBe("free");
    places.leave(sockets.tags.pop() ?? []);
    expect(sockets.looks).toBe(first);
  });

  it("are free again when a subscriber has left, even unnoticed", () => {
    const { places, sockets, join } = prepared();
    join(OPERATOR);
    while (sockets.tags.length < MOST_SUBSCRIBERS) sockets.tags.push(places.take(OPERATOR));
    expect(join(OPERATOR)).toBe("full");
    places.leave(sockets.tags.pop() ?? []);
    expect(join(OPERATOR)).toBe("free");
    expect(join(OPERATOR)).toBe("full");
    const { looks } = sockets;
    sockets.tags.pop();
    // Sockets are not all looked at for each one who is refused.
    for (let n = 0; n < 100; n++) expect(places.admits(OPERATOR, 1000)).toBe("full");
    expect(sockets.looks).toBe(looks);
    expect(places.admits(OPERATOR, 60_000)).toBe("free");
  });
});
