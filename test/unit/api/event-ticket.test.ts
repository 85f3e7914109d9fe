/** Tickets for event sockets. */
import { expect, it } from "vitest";
import { type EventTicket, formatTicket, parseTicket, TICKET_SECONDS } from "../../../src/api/v1/event-ticket.ts";

const TICKET: EventTicket = {
  repository: "acme/widgets",
  subscription: {
    id: "1".repeat(32),
    needsPublic: false,
    administers: true,
    token: "ab",
    tokenSince: 5,
    holder: "token:ab",
  },
};

it("says what it was made for, for a minute", () => {
  const ticket = formatTicket(TICKET, "secret", 1000);
  expect(ticket).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/);
  expect(parseTicket(ticket, "secret", 1000 + TICKET_SECONDS * 1000 - 1)).toEqual(TICKET);
  expect(parseTicket(ticket, "secret", 1000 + TICKET_SECONDS * 1000)).toBeUndefined();
});

it("is taken only as it was made, with the same secret", () => {
  const ticket = formatTicket(TICKET, "secret", 1000);
  const [text = "", signature = ""] = ticket.split(".");
  const other = formatTicket({ ...TICKET, repository: "acme/other" }, "secret", 1000).split(".")[0];
  expect(parseTicket(ticket, "another", 1000)).toBeUndefined();
  for (const bad of [
    "",
    ".",
    "x.y",
    `${other}.${signature}`,
    `${text}.`,
    `${ticket}.`,
    `${text}.${signature.slice(1)}`,
  ]) {
    expect(parseTicket(bad, "secret", 1000)).toBeUndefined();
  }
});
