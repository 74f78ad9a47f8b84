import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type AuditTree, type Pool, readEventsAfter } from '@grantlog/postgres';
import { leavesOf, tileReaderOf } from '@grantlog/read-models';
import { type LoggedEvent, readEntryBundle, readLeaf, type TileReader, tilePath, tileWidth } from '@grantlog/transparency';
import { Problem } from '../../problem.ts';

/** A log that is verified: its events from the first on, and the tree that is claimed to be theirs, where there is one to ask. */
export type VerifiedSource = {
  readonly events: AsyncIterable<LoggedEvent>;
  readonly claimed: { readonly checkpoint: string; readonly readTile: TileReader } | null;
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
      const events = await readEventsAfter(pool, { platform, after, limit: 2_000 });
      for (const [n, leaf] of leavesOf(events).entries()) yield { leaf, position: (events[n]?.position ?? 0) - base };
      const last = events.at(-1);
      if (last === undefined) return;
      after = last.position;
    }
  };
  return { events: read(), base, claimed: { checkpoint, readTile: tileReaderOf(pool, tree) } };
};

/** An export: one leaf a line, from the first event of the tree on. */
export const fileSource = (path: string, base: number): VerifiedSource => {
  const read = async function* (): AsyncGenerator<LoggedEvent> {
    let place = 0;
    for await (const line of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })) {
      place += 1;
      yield loggedAt(Buffer.from(line, 'utf8'), place, base);
    }
  };
  return { events: read(), base, claimed: null };
};

/** A server, as its tree is served: whatever it says is checked against what was signed. */
export const serverSource = async (server: {
  readonly tree: URL;
  readonly token: string | null;
  readonly base: number;
}): Promise<VerifiedSource> => {
  const { tree, token, base } = server;
  const ask = async (path: string): Promise<Response> => {
    const url = new URL(path, tree);
    const response = await fetch(url, { headers: token === null ? {} : { authorization: `Bearer ${token}` }, redirect: 'error' });
    if (response.ok) return response;
    const fix =
      response.status === 401 || response.status === 403
        ? 'give --token-file a file with an access token of an auditor, with the scope audit'
        : 'check --url: it is the issuer of the platform, then /audit/tree/';
    throw new Problem(`${url} answered ${response.status}: ${(await response.text()).slice(0, 300)}`, fix);
  };
  const bytesOf = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer());
  const checkpoint = await (await ask('checkpoint')).text();
  const size = Number(checkpoint.split('\n')[1]);
  const read = async function* (): AsyncGenerator<LoggedEvent> {
    for (let index = 0; index * tileWidth < size; index += 1) {
      const width = Math.min(tileWidth, size - index * tileWidth);
      const entries = readEntryBundle(await bytesOf(await ask(tilePath({ kind: 'entries', index, width }))));
      if (entries === null)
        throw new Problem(`The entries ${index} of ${tree} are no bundle of entries`, 'ask its operator: the server is at fault');
      for (const [offset, entry] of entries.entries()) {
        const place = index * tileWidth + offset + 1;
        // What no bundle can hold is asked for by itself.
        const leaf = entry.byteLength > 0 ? entry : await bytesOf(await ask(`leaf/${base + place}`));
        yield loggedAt(leaf, place, base);
      }
    }
  };
  return {
    events: read(),
    base,
    claimed: { checkpoint, readTile: async (tile) => bytesOf(await ask(tilePath({ kind: 'hashes', ...tile }))) },
  };
};
