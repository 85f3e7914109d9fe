import { describe, expect, it } from "vitest";
import { parseOutgoingUrl } from "../../../src/access/outgoing-url.ts";

function verdict(text: string, allowPrivate = false): string {
  const answer = parseOutgoingUrl(text, allowPrivate);
  return answer.kind === "allowed" ? answer.url.href : answer.kind;
}

describe("parseOutgoingUrl, on the public internet", () => {
  it.each([
    "https://example.com/hook",
    "https://example.com:443/hook?key=1#part",
    "https://ci.example.com:8443/",
    "https://example.com./",
    "https://bücher.example/",
    "https://8.8.8.8/",
    "https://172.32.0.1/",
    "https://100.128.0.1/",
    "https://[2606:4700:4700::1111]/",
    "https://[2001:200::1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://internal.example.com/",
    "https://metadata.example.com/",
    "https://local.example.com/",
    "HTTPS://EXAMPLE.COM/",
  ])("allows %s", (text) => {
    expect(verdict(text)).toBe(new URL(text).href);
  });

  it.each([
    // Loopback in every spelling.
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.255.255.254/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://１２７.０.０.１/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://%31%32%37.0.0.1/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[::]/",
    "https://0/",
    "https://0.0.0.0/",
    // Private and shared networks.
    "https://10.0.0.1/",
    "https://10.1/",
    "https://167772161/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://100.127.255.255/",
    "https://100.100.100.200/",
    "https://[fc00::1]/",
    "https://[fd12:3456::1]/",
    "https://[fec0::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[2001:db8::1]/",
    // Link-local, metadata, multicast, reserved.
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://168.63.129.16/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00:ec2::254]/",
    "https://224.0.0.1/",
    "https://[ff02::1]/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    // Names that are local.
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://ｌｏｃａｌｈｏｓｔ/",
    "https://a.localhost/",
    "https://printer.local/",
    "https://db.internal/",
    "https://db.internal./",
    "https://metadata.google.internal/",
    "https://router.home.arpa/",
    "https://kubernetes.default.svc/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://nas.lan/",
    "https://redis/",
    "https://redis./",
    "https://redis../",
    "https://a..b.example/",
    "https://a!b.example/",
    `https://${"a".repeat(64)}.example/`,
    `https://${"a.".repeat(130)}example/`,
    // Other schemes, credentials, ports, and what a parser would mend.
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "data:text/plain,x",
    "javascript:alert(1)",
    "//example.com/",
    "example.com",
    "",
    "https://",
    "https:///",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://@example.com/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1#@example.com/",
    "https://127.0.0.1\\@example.com/",
    "https:\\\\127.0.0.1/",
    "https://example.com:22/",
    "https://example.com:25/",
    "https://example.com:80/",
    "https://example.com:0/",
    "https://example.com:65536/",
    " https://example.com/",
    "https://example.com/\n",
    "ht\ttps://example.com/",
    "https://exa\tmple.com/",
    `https://example.com/${"a".repeat(2048)}`,
  ])("refuses %s", (text) => {
    expect(verdict(text)).toBe("refused");
  });
});

describe("parseOutgoingUrl, if the operator allows private networks", () => {
  it.each([
    "http://localhost:8080/",
    "http://127.0.0.1:1234/",
    "http://[::1]:1234/",
    "http://10.0.0.1/",
    "https://[fd12::1]/",
    "http://gitea:3000/",
    "http://git.internal/",
    "http://example.com/",
    "https://example.com/",
  ])("allows %s, too", (text) => {
    expect(verdict(text, true)).toBe(new URL(text).href);
  });

  it.each([
    "http://169.254.169.254/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://[::ffff:169.254.169.254]/",
    "http://metadata.google.internal/",
    "http://metadata/",
    "http://0.0.0.0/",
    "http://224.0.0.1/",
    "http://localhost:22/",
    "http://user@localhost:8080/",
    "ftp://localhost/",
    "http://a b/",
  ])("refuses %s", (text) => {
    expect(verdict(text, true)).toBe("refused");
  });
});

describe("parseOutgoingUrl, with a redirect", () => {
  it.each(["git@github.com:x/y.git", "ssh://git@github.com/x/y.git", "git://github.com/x/y.git"])(
    "says of %s that it takes https",
    (text) => {
      expect(parseOutgoingUrl(text, false)).toMatchObject({ why: "The URL has to begin with https://." });
    },
  );

  it("resolves a redirect against the URL that it came from, and checks it", () => {
    const base = new URL("https://example.com/a/b?c");
    const next = (location: string): string => {
      const answer = parseOutgoingUrl(location, false, base);
      return answer.kind === "allowed" ? answer.url.href : answer.why;
    };
    expect(next("../d")).toBe("https://example.com/d");
    expect(next("//other.example/x")).toBe("https://other.example/x");
    expect(next("https://127.0.0.1/")).toBe("127.0.0.1 is not an address on the public internet.");
    expect(next("//127.0.0.1/")).toBe("127.0.0.1 is not an address on the public internet.");
    expect(next("http://example.com/")).toBe("The URL has to begin with https://.");
    expect(next("//me:secret@example.com/")).not.toContain("secret");
  });
});
