/** What a representation may be sent as, in the order in which the server likes them. */
export const mediaTypes = ['application/xml', 'application/json', 'text/xml'] as const;

export type MediaType = (typeof mediaTypes)[number];

type MediaRange = { readonly type: string; readonly subtype: string; readonly quality: number; readonly precision: number };

const rangeForm = /^([!#$%&'*+\-.^_`|~0-9a-z]+)\/([!#$%&'*+\-.^_`|~0-9a-z]+)$/;
const qualityForm = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** One media range, or null where it is malformed or asks for a parameter that no representation here has. */
const readRange = (text: string): MediaRange | null => {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const match = rangeForm.exec(range);
  if (match === null) return null;
  const [, type = '', subtype = ''] = match;
  if (type === '*' && subtype !== '*') return null;
  let quality = 1;
  let precision = type === '*' ? 0 : subtype === '*' ? 1 : 2;
  for (const parameter of parameters.filter((each) => each !== '')) {
    const value = /^q\s*=\s*(.*)$/.exec(parameter)?.[1];
    if (value !== undefined) {
      if (!qualityForm.test(value)) return null;
      quality = Number(value);
    } else if (/^charset="?utf-8"?$/.test(parameter)) precision = 3;
    else return null;
  }
  return { type, subtype, quality, precision };
};

const rangeOf = (media: MediaType, ranges: readonly MediaRange[]): MediaRange | null => {
  const [type, subtype] = media.split('/');
  const matching = ranges.filter(
    (range) => (range.type === '*' || range.type === type) && (range.subtype === '*' || range.subtype === subtype),
  );
  return matching.reduce<MediaRange | null>((best, range) => (best === null || range.precision > best.precision ? range : best), null);
};

/**
 * Chooses by the Accept header: the most precise range that fits a media type tells its quality, the best quality wins.
 * Between equals the one asked for more precisely wins, then the server's own order. Null where nothing here is acceptable.
 *
 * @see RFC 9110 §12.5.1
 */
export const negotiate = (accept: string | undefined): MediaType | null => {
  if (accept === undefined || accept.trim() === '') return mediaTypes[0];
  const ranges = accept.split(',').flatMap((text) => readRange(text.trim()) ?? []);
  const offers = mediaTypes.flatMap((media) => {
    const range = rangeOf(media, ranges);
    return range === null || range.quality === 0 ? [] : [{ media, range }];
  });
  // The sort is stable, so the server's order stands between equals.
  offers.sort((one, other) => other.range.quality - one.range.quality || other.range.precision - one.range.precision);
  return offers[0]?.media ?? null;
};
