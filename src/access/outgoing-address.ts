/**
 * Classifies IP addresses by their network, for deciding whether a user may make the host connect to one.
 *
 * @packageDocumentation
 * @see IANA's special-purpose address registries for IPv4 and IPv6 (RFC 6890)
 */

/**
 * The kind of network of an address. No upstream and no receiver of a webhook can have a `forbidden` one: link-local
 * ones, which include the clouds' metadata services, shared ones (carrier-grade NAT), multicast, documentation,
 * reserved.
 */
export type AddressKind = "public" | "loopback" | "private" | "forbidden";

/**
 * A block: its first address as four decimal numbers, the number of bits that all its addresses share, and its kind.
 */
type Block = readonly [first: string, bits: number, kind: AddressKind];

/** The blocks of IPv4. The first block that has an address decides. */
const IPV4_BLOCKS: readonly Block[] = [
  ["127.0.0.0", 8, "loopback"],
  ["10.0.0.0", 8, "private"],
  ["172.16.0.0", 12, "private"],
  ["192.168.0.0", 16, "private"],
  ["0.0.0.0", 8, "forbidden"],
  ["100.64.0.0", 10, "forbidden"],
  ["169.254.0.0", 16, "forbidden"],
  ["192.0.0.0", 24, "forbidden"],
  ["192.0.2.0", 24, "forbidden"],
  ["192.88.99.0", 24, "forbidden"],
  ["198.18.0.0", 15, "forbidden"],
  ["198.51.100.0", 24, "forbidden"],
  ["203.0.113.0", 24, "forbidden"],
  ["224.0.0.0", 4, "forbidden"],
  ["240.0.0.0", 4, "forbidden"],
  // It is in a public block, but it is a cloud's service for its own machines.
  ["168.63.129.16", 32, "forbidden"],
];

function ipv4Number(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/**
 * The blocks of IPv6, by their first 32 bits. Only 2000::/3 is public; its blocks that lead nowhere or to IPv4 come
 * first.
 */
const IPV6_BLOCKS: readonly Block[] = [
  ["32.1.0.0", 23, "forbidden"], // 2001::/23: Teredo and other protocols' own
  ["32.1.13.184", 32, "forbidden"], // 2001:db8::/32: documentation
  ["32.2.0.0", 16, "forbidden"], // 2002::/16: 6to4
  ["63.255.0.0", 20, "forbidden"], // 3fff::/20: documentation
  ["32.0.0.0", 3, "public"],
  ["253.0.14.194", 32, "forbidden"], // fd00:ec2::/32: a cloud's metadata service, among the unique local ones
  ["252.0.0.0", 7, "private"],
];

function kindIn(blocks: readonly Block[], value: number): AddressKind | undefined {
  const block = blocks.find(([first, bits]) => {
    const start = ipv4Number(first);
    return value >= start && value < start + 2 ** (32 - bits);
  });
  return block?.[2];
}

function ipv4Kind(value: number): AddressKind {
  return kindIn(IPV4_BLOCKS, value) ?? "public";
}

/**
 * Returns the eight groups of an address in a form that `URL` writes: hexadecimal groups, at most one `::`, no zone.
 */
function ipv6Groups(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const groupsOf = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const before = groupsOf(head);
  if (tail === undefined) return before;
  const after = groupsOf(tail);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function ipv6Kind(address: string): AddressKind {
  const groups = ipv6Groups(address);
  const [first = 0, second = 0, , , , sixth = 0, seventh = 0, eighth = 0] = groups;
  if (groups.slice(0, 5).every((group) => group === 0)) {
    const last = seventh * 65_536 + eighth;
    if (sixth === 0xffff) return ipv4Kind(last);
    return sixth === 0 && last === 1 ? "loopback" : "forbidden";
  }
  return kindIn(IPV6_BLOCKS, first * 65_536 + second) ?? "forbidden";
}

/**
 * Returns the kind of a host that `URL` has normalised: four decimal numbers, or IPv6 in brackets; `undefined` if it is
 * a name. `URL` has turned every other spelling of an IPv4 address (octal, hexadecimal, one number, full-width digits,
 * a final dot) into four decimal numbers.
 */
export function addressKind(hostname: string): AddressKind | undefined {
  if (hostname.startsWith("[")) return ipv6Kind(hostname.slice(1, -1));
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? ipv4Kind(ipv4Number(hostname)) : undefined;
}
