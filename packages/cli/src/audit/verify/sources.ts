import { type AuditTree, type Pool, readStretch } from '@grantlog/postgres';
import { leavesOf, tileReaderOf } from '@grantlog/read-models';
import {
  type LoggedEvent,
  readEntryBundle,
  readLeaf,
  type Tile,
  type TileReader,
  tileOf,
  tilePath,
  tileWidth,
} from '@grantlog/transparency';
import { Problem } from '../../problem.ts';

/** A log that is verified: its events from the first on, and the tree that is claimed to be theirs. */
export type VerifiedSource = {
  readonly events: AsyncIterable<LoggedEvent>;
  readonly claimed: { readonly checkpoint: string; readonly readTile: TileReader };
  /** Positions up to here are in no leaf. */
  readonly base: number;
};

/** What an event's leaf says of its place; a leaf that says nothing of the kind stands where it was found. */
const loggedAt = (leaf: Uint8Array, place: number, base: number): LoggedEvent => {
  const reading = readLeaf(leaf);
  return { leaf, position: reading.outcome === 'read' ? reading.event.position - base : place };
};

/** The rows of the log themselves, read anew from the database. */
export const databaseSource = (pool: Pool, tree: AuditTree, checkpoint: string): VerifiedSource => {
  const { platform, base } = tree;
  const read = async function* (): AsyncGenerator<LoggedEvent> {
    for (let after = base; ; ) {
      const { events, archived, through } = await readStretch(pool, { platform, after, limit: 2_000 });
      const logged: LoggedEvent[] = leavesOf(events).map((leaf, n) => ({ leaf, position: (events[n]?.position ?? 0) - base }));
      // What is archived is as good as its hash: that it has the events, its file shows.
      for (const { position, hash } of archived) logged.push({ leafHash: hash, position: position - base });
      if (archived.length > 0) logged.sort((one, other) => one.position - other.position);
      yield* logged;
      if (through === after) return;
      after = through;
    }
  };
  return { events: read(), base, claimed: { checkpoint, readTile: tileReaderOf(pool, tree) } };
};

const tileOfLeaf = (index: number, size: number): { readonly tile: Tile; readonly offset: number } => {
  const tile = tileOf({ level: 0, index: Math.floor(index / tileWidth), size });
  return { tile, offset: index % tileWidth };
};

/** @throws Problem for an answer that is none */
const answered = async (response: Response): Promise<Response> => {
  if (response.ok) return response;
  const fix =
    response.status === 401 || response.status === 403
      ? 'give --token-file a file with an access token of an auditor, with the scope audit'
      : 'check --url: it is the issuer of the platform, then /audit/tree/';
  throw new Problem(`${response.url} answered ${response.status}: ${(await response.text()).slice(0, 300)}`, fix);
};

/** A server, as its tree is served: whatever it says is checked against what was signed. */
export const serverSource = async (server: {
  readonly tree: URL;
  readonly token: string | null;
  readonly base: number;
  /** Whether what witnesses have signed is to be looked at, which may be a little older than what is signed by now. */
  readonly witnessed: boolean;
}): Promise<VerifiedSource> => {
  const { tree, token, base, witnessed } = server;
  const fetchFrom = (path: string): Promise<Response> =>
    fetch(new URL(path, tree), { headers: token === null ? {} : { authorization: `Bearer ${token}` }, redirect: 'error' });
  const ask = async (path: string): Promise<Response> => answered(await fetchFrom(path));
  const bytesOf = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer());
  const checkpoint = await (await ask(witnessed ? 'checkpoint?witnessed=true' : 'checkpoint')).text();
  const size = Number(checkpoint.split('\n')[1]);
  /** The hash that the tree has in place of an event: what it is worth, the root says. */
  const hashAt = async (index: number): Promise<Uint8Array> => {
    const { tile, offset } = tileOfLeaf(index, size);
    if (kept?.index !== tile.index) kept = { index: tile.index, hashes: await bytesOf(await ask(tilePath({ kind: 'hashes', ...tile }))) };
    return kept.hashes.subarray(offset * 32, offset * 32 + 32);
  };
  let kept: { readonly index: number; readonly hashes: Uint8Array } | null = null;
  const read = async function* (): AsyncGenerator<LoggedEvent> {
    for (let index = 0; index * tileWidth < size; index += 1) {
      const width = Math.min(tileWidth, size - index * tileWidth);
      const answer = await ask(tilePath({ kind: 'entries', index, width }));
      const archived = Buffer.from(answer.headers.get('grantlog-archived') ?? '', 'base64');
      const entries = readEntryBundle(await bytesOf(answer));
      if (entries === null)
        throw new Problem(`The entries ${index} of ${tree} are no bundle of entries`, 'ask its operator: the server is at fault');
      for (const [offset, entry] of entries.entries()) {
        const place = index * tileWidth + offset + 1;
        if (entry.byteLength > 0) yield loggedAt(entry, place, base);
        else if (((archived[offset >> 3] ?? 0) & (1 << (offset & 7))) !== 0) yield { leafHash: await hashAt(place - 1), position: place };
        else {
          // What no bundle can hold is asked for by itself. What is not there either is missing.
          const response = await fetchFrom(`leaf/${base + place}`);
          if (response.status !== 404) yield loggedAt(await bytesOf(await answered(response)), place, base);
        }
      }
    }
  };
  return {
    events: read(),
    base,
    claimed: { checkpoint, readTile: async (tile) => bytesOf(await ask(tilePath({ kind: 'hashes', ...tile }))) },
  };
};
