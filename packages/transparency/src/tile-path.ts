import { type Tile, tileWidth } from './tile.ts';

/** A resource of a tiled log: a tile of hashes, or a bundle of the entries that a tile of level 0 has the hashes of. */
export type TileResource =
  | ({ readonly kind: 'hashes' } & Tile)
  | { readonly kind: 'entries'; readonly index: number; readonly width: number };

const form = /^tile\/(0|[1-9]\d?|entries)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

const writeIndex = (index: number): string => {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  return groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/');
};

/**
 * Where a resource of a log lies below the log's prefix: `tile/0/x001/x234/067`, `tile/1/000.p/17`, `tile/entries/003`.
 *
 * @see https://c2sp.org/tlog-tiles
 */
export const tilePath = (resource: TileResource): string => {
  const level = resource.kind === 'entries' ? 'entries' : String(resource.level);
  const suffix = resource.width === tileWidth ? '' : `.p/${resource.width}`;
  return `tile/${level}/${writeIndex(resource.index)}${suffix}`;
};

/** Reads a path in the one spelling that {@link tilePath} writes. Null for any other, a level above 63 or a width above 255. */
export const parseTilePath = (path: string): TileResource | null => {
  const [, level = '', groups = '', partial] = form.exec(path) ?? [];
  const index = Number(groups.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? tileWidth : Number(partial);
  if (groups === '' || !Number.isSafeInteger(index) || (partial !== undefined && width >= tileWidth)) return null;
  const resource: TileResource =
    level === 'entries' ? { kind: 'entries', index, width } : { kind: 'hashes', level: Number(level), index, width };
  if (resource.kind === 'hashes' && resource.level > 63) return null;
  return tilePath(resource) === path ? resource : null;
};
