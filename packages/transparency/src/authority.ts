import { authenticTiles, FalseTiles } from './authentic-tiles.ts';
import type { Checkpoint } from './checkpoint.ts';
import { hashAt, type Tile, type TileReader, tileOf, tileWidth } from './tile.ts';
import { readSpans } from './tile-hashes.ts';

/** Tiles of the claimed tree for as long as they are of it. */
export type Authority = {
  /** The hash that was logged at an index, null where nothing trustworthy says it. */
  readonly hashOf: (index: number) => Promise<Uint8Array | null>;
  /** The root that the claimed tree had at a smaller size, null where nothing trustworthy says it. */
  readonly rootAt: (size: number) => Promise<Uint8Array | null>;
  readonly distrusted: () => Tile | null;
};

/** Believes a reader's tiles for as long as they hash to the root of the checkpoint. */
export const createAuthority = (claimed: Checkpoint, served: TileReader): Authority => {
  const readTile = authenticTiles({ size: claimed.size, root: claimed.root, readTile: served });
  let distrusted: Tile | null = null;
  let held: { readonly index: number; readonly bytes: Uint8Array | null } | null = null;

  const trusting = async <T>(read: () => Promise<T>): Promise<T | null> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof FalseTiles)) throw error;
      distrusted ??= error.tiles[0] ?? null;
      return null;
    }
  };

  const load = async (index: number): Promise<Uint8Array | null> => {
    // From the first false tile on there is nothing to compare with: an event after it may differ, but another before that one too.
    const isBroken = held !== null && held.bytes === null;
    const bytes = isBroken ? null : await trusting(() => readTile(tileOf({ level: 0, index, size: claimed.size })));
    held = { index, bytes };
    return bytes;
  };

  return {
    hashOf: async (index) => {
      if (index >= claimed.size) return null;
      const tile = Math.floor(index / tileWidth);
      const bytes = held?.index === tile ? held.bytes : await load(tile);
      return bytes === null ? null : hashAt(bytes, index % tileWidth);
    },
    rootAt: async (size) => (await trusting(() => readSpans({ size: claimed.size, readTile }, [{ from: 0, to: size }])))?.[0] ?? null,
    distrusted: () => distrusted,
  };
};

/** Where there are no tiles to compare with. */
export const noAuthority: Authority = { hashOf: async () => null, rootAt: async () => null, distrusted: () => null };
