/** How long a document may be used without asking again, whatever its site says. In seconds. */
export type Bounds = {
  /** So long also where the site forbids keeping it: a crowd asks once. */
  readonly floorSeconds: number;
  readonly ceilingSeconds: number;
};

const directivesOf = (header: string): ReadonlyMap<string, string> =>
  new Map(
    header.split(',').map((each) => {
      const [name = '', value = ''] = each.split('=', 2);
      return [name.trim().toLowerCase(), value.trim().replaceAll('"', '')] as const;
    }),
  );

const wholeSeconds = (text: string | undefined): number | null => (text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : null);

/** What the site asks for; null where it says nothing of it. */
const askedSeconds = (headers: Readonly<Record<string, string>>): number | null => {
  const directives = directivesOf(headers['cache-control'] ?? '');
  if (directives.has('no-store') || directives.has('no-cache')) return 0;
  const age = wholeSeconds(headers['age']) ?? 0;
  // A cache of many visitors' is what this is, so `s-maxage` goes before `max-age` (RFC 9111 §5.2.2.10).
  const maxAge = wholeSeconds(directives.get('s-maxage')) ?? wholeSeconds(directives.get('max-age'));
  if (maxAge !== null) return maxAge - age;
  const expires = Date.parse(headers['expires'] ?? '');
  // By the site's own clock, so that it need not agree with ours.
  const date = Date.parse(headers['date'] ?? '');
  return Number.isNaN(expires) || Number.isNaN(date) ? null : (expires - date) / 1000 - age;
};

/**
 * Seconds for which a response may be used, by its own headers within the bounds.
 *
 * @param headers names in lower case.
 * @see RFC 9111 §4.2.1
 */
export const freshSeconds = (headers: Readonly<Record<string, string>>, { floorSeconds, ceilingSeconds }: Bounds): number =>
  Math.min(Math.max(askedSeconds(headers) ?? 0, floorSeconds), ceilingSeconds);
