import { type AuditCheckpoint, readCosignedNote, readStretch, readWitnessedCheckpoint } from '@grantlog/postgres';
import { openLogKey, recordAuditRead } from '@grantlog/provisioning';
import { leavesOf, tileReaderOf } from '@grantlog/read-models';
import {
  longestEntry,
  parseTilePath,
  proveConsistency,
  type TileResource,
  tileOf,
  tileWidth,
  verifierKeyOf,
  writeEntryBundle,
  writeVerifierKey,
} from '@grantlog/transparency';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { exactly, instant, platformParams } from '../json-api/schemas.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import type { AuditDeps } from './audit-deps.ts';
import { leafAt, openSigned, receiptAnswer, receiptOf, sendReceipt } from './receipt.ts';
import { type StandingTree, standingTree } from './standing-tree.ts';
import { witnessesOf, witnessView } from './witness-view.ts';
import { auditWords } from './words.ts';

const tags = ['Audit'];
/** Hashes, sizes and signatures, which name nobody: whoever wants to keep watch may. */
const open = { config: { authentication: 'none', errors: 'problem', openToBrowsers: true } } as const;
/** The same beside a route that asks for a token. */
const closedToBrowsers = { config: { authentication: 'none', errors: 'problem' } } as const;

const bytes = (description: string) => ({
  description,
  content: { 'application/octet-stream': { schema: Type.String({ format: 'binary' }) } },
});
const text = (description: string) => ({ description, content: { 'text/plain': { schema: Type.String() } } });

/** What never changes any more. */
const forGood = 'public, max-age=31536000, immutable';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const asItIs = (payload: unknown): string => payload as string;

const nothing: Uint8Array = new Uint8Array();
/** A leaf in a bundle. One that no bundle can hold stands there as nothing, and is asked for by itself. */
const bundled = (leaf: Uint8Array): Uint8Array => (leaf.byteLength > longestEntry ? nothing : leaf);

const archivedHeader = 'grantlog-archived';
/** A bit for each entry of a bundle, the lowest first. */
const bitmapOf = (places: readonly number[]): string => {
  const bits = new Uint8Array(tileWidth / 8);
  for (const place of places) bits[place >> 3] = (bits[place >> 3] ?? 0) | (1 << (place & 7));
  return base64(bits);
};

/** Whether a tree that was signed at this size has a resource. */
const isWithin = (resource: TileResource, { size }: AuditCheckpoint): boolean => {
  const level = resource.kind === 'entries' ? 0 : resource.level;
  return tileOf({ level, index: resource.index, size }).width >= resource.width;
};

/**
 * The tree over the log: checkpoints and tiles for whoever keeps watch, the entries behind them for auditors, and proofs.
 *
 * @see RFC 6962, https://c2sp.org/tlog-tiles, https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-proof
 */
export const treeRoutes =
  (deps: AuditDeps) =>
  (app: JsonApi): void => {
    const { gate, pool } = deps;
    const standing = async (request: FastifyRequest): Promise<StandingTree> =>
      standingTree(pool, (await resolvePlatform(deps, request)).platform);
    /** The route is `tile/:level/*` or `tile/entries/*`: how deep an index goes depends on its size. */
    const resourceOf = (request: FastifyRequest, { signed }: StandingTree): TileResource => {
      const { '*': rest = '', level = 'entries' } = request.params as { readonly '*'?: string; readonly level?: string };
      const resource = parseTilePath(`tile/${level}/${rest}`);
      if (resource === null || !isWithin(resource, signed)) throw refusalProblem(auditWords, 'unknown_tile');
      return resource;
    };
    const sendBytes = (reply: FastifyReply, bytes: Uint8Array, width: number): FastifyReply =>
      reply
        .header('cache-control', width === tileWidth ? forGood : 'public, max-age=60')
        .type('application/octet-stream')
        .send(Buffer.from(bytes));
    const sendText = (reply: FastifyReply, text: string): FastifyReply =>
      reply.type('text/plain; charset=utf-8').serializer(asItIs).send(text);

    app.get(
      '/:platform/audit/tree',
      {
        ...open,
        schema: {
          tags,
          summary: "The tree over a platform's log: its name, the key that signs it, and how far it is signed",
          params: platformParams,
          response: {
            200: Type.Object({
              origin: Type.String({ description: 'The first line of its checkpoints' }),
              verifierKey: Type.String({ description: 'As C2SP signed-note writes it. Keep it where nobody here can change it' }),
              lineage: Type.String(),
              base: Type.Integer({ description: 'The leaf of index n is the event at position base + n + 1' }),
              size: Type.Integer({ description: 'Leaves that are signed' }),
              signedAt: instant,
              witnesses: Type.Array(witnessView),
            }),
          },
        },
      },
      async (request) => {
        const { tree, signed } = await standing(request);
        const { origin, lineage, base, platform } = tree;
        const key = await openLogKey(deps.provisioning, platform);
        const verifierKey = writeVerifierKey(verifierKeyOf({ name: origin, key }, 'ed25519'));
        const witnesses = await witnessesOf(pool, tree);
        return { origin, verifierKey, lineage, base, size: signed.size, signedAt: signed.signedAt.toISOString(), witnesses };
      },
    );
    app.get(
      '/:platform/audit/tree/checkpoint',
      {
        ...open,
        schema: {
          tags,
          summary: 'The latest signed checkpoint, with what witnesses have said of it by now',
          params: platformParams,
          querystring: exactly({
            witnessed: Type.Optional(
              Type.Boolean({ description: 'Instead the one of lately that most witnesses have signed, where there is one' }),
            ),
          }),
          response: { 200: text('A signed note: origin, size, root and signatures') },
        },
      },
      async (request, reply) => {
        const { tree, signed } = await standing(request);
        const found = request.query.witnessed === true ? await readWitnessedCheckpoint(pool, { ...tree, atMost: signed.size }) : null;
        return sendText(reply.header('cache-control', 'no-cache'), await readCosignedNote(pool, tree, found ?? signed));
      },
    );
    app.get(
      '/:platform/audit/tree/tile/:level/*',
      {
        ...closedToBrowsers,
        schema: {
          tags,
          summary: 'A tile of hashes: its level, and its index with .p/<width> where it is partial',
          response: { 200: bytes('32 bytes a hash') },
        },
      },
      async (request, reply) => {
        const found = await standing(request);
        const resource = resourceOf(request, found);
        if (resource.kind === 'entries') throw refusalProblem(auditWords, 'unknown_tile');
        return sendBytes(reply, await tileReaderOf(pool, found.tree)(resource), resource.width);
      },
    );
    app.get(
      '/:platform/audit/tree/tile/entries/*',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: `The events behind a tile of level 0, each as its leaf has it. ${archivedHeader} says which are archived: a bit each, base64`,
          response: { 200: bytes('Each leaf after its length, two bytes') },
        },
      },
      async (request, reply) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const found = await standingTree(pool, platform);
        const { index, width } = resourceOf(request, found);
        await recordAuditRead(deps.provisioning, by, { platform, question: 'entries', about: { tile: index, width } });
        const after = found.tree.base + index * tileWidth;
        const stretch = await readStretch(pool, { platform, after, limit: width });
        const isInside = ({ position }: { readonly position: number }): boolean => position <= after + width;
        const [events, archived] = [stretch.events.filter(isInside), stretch.archived.filter(isInside)];
        // What is archived stands there as nothing, too.
        const leaves = Array.from({ length: width }, () => nothing);
        for (const [n, leaf] of leavesOf(events).entries()) leaves[(events[n]?.position ?? 0) - after - 1] = bundled(leaf);
        if (archived.length > 0) reply.header(archivedHeader, bitmapOf(archived.map(({ position }) => position - after - 1)));
        return sendBytes(reply, writeEntryBundle(leaves), width);
      },
    );
    app.get(
      '/:platform/audit/tree/leaf/:position',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'One leaf, however long: a bundle of entries has nothing in place of those of more than 65,535 bytes, or archived',
          params: Type.Object({ platform: Type.String(), position: Type.Integer({ minimum: 1 }) }),
          response: { 200: bytes('The event as its leaf has it') },
        },
      },
      async (request, reply) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const { position } = request.params;
        await recordAuditRead(deps.provisioning, by, { platform, question: 'entries', about: { position } });
        const leaf = await leafAt(pool, { platform, position });
        return sendBytes(reply, leaf, 0);
      },
    );
    app.get(
      '/:platform/audit/tree/consistency',
      {
        ...open,
        schema: {
          tags,
          summary: 'That the tree of one size begins with that of another: hashes for RFC 9162 §2.1.4.2',
          params: platformParams,
          querystring: exactly({
            from: Type.Optional(Type.Integer({ minimum: 0, description: 'A size; 0 by itself' })),
            to: Type.Optional(Type.Integer({ minimum: 0, description: 'A size; by itself what is signed now' })),
          }),
          response: {
            200: Type.Object({ from: Type.Integer(), to: Type.Integer(), hashes: Type.Array(Type.String({ description: 'base64' })) }),
          },
        },
      },
      async (request) => {
        const { tree, signed } = await standing(request);
        const { from = 0, to = signed.size } = request.query;
        if (from > to || to > signed.size) throw refusalProblem(auditWords, 'unknown_size');
        const hashes = await proveConsistency({ oldSize: from, newSize: to, readTile: tileReaderOf(pool, tree) });
        return { from, to, hashes: hashes.map(base64) };
      },
    );
    app.get(
      '/:platform/audit/receipts/:position',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'A receipt of an event, a .tlog-proof with its leaf as extra: proves offline that the log has it',
          params: Type.Object({ platform: Type.String(), position: Type.Integer({ minimum: 1 }) }),
          response: { 200: receiptAnswer },
        },
      },
      async (request, reply) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const { position } = request.params;
        const signed = await openSigned(pool, { platform, position });
        await recordAuditRead(deps.provisioning, by, { platform, question: 'entries', about: { position } });
        return sendReceipt(reply, await receiptOf(pool, signed));
      },
    );
  };
