/**
 * The addresses that programs that walk the web may ask for: the front pages of tenants and of public repositories. Below them a
 * history has pages for each commit and each path, without end, and each costs the operator reads and processor time.
 *
 * @packageDocumentation
 * @see RFC 9309
 */

/** The file `robots.txt`. */
export const ROBOTS = `User-agent: *
Disallow: /-/
Disallow: /api/
Disallow: /*/*/
`;
