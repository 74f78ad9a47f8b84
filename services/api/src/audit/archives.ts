import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { archivesOf, type KeptArchive, listArchives, type Pool } from '@grantlog/postgres';
import { ProblemError, problem } from '@grantlog/protocol';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { instant, platformParams } from '../json-api/schemas.ts';
import type { AuditDeps } from './audit-deps.ts';

/** A file of events that are in the log no longer. */
export const archiveView = Type.Object({
  month: Type.String({ description: 'In which its streams began, UTC, as 2026-03' }),
  file: Type.String({ description: 'Its name, as it was written' }),
  sha256: Type.String({ description: 'Of the file, hex' }),
  events: Type.Integer(),
  streams: Type.Integer(),
  firstPosition: Type.Integer(),
  lastPosition: Type.Integer(),
  treeSize: Type.Integer({ description: 'Leaves of the signed tree that the file proves its events to be in' }),
  archivedAt: instant,
});

export const archiveViewOf = (archive: KeptArchive) => {
  const { month, file, digest, events, streams, firstPosition, lastPosition, treeSize, archivedAt } = archive;
  const sha256 = Buffer.from(digest).toString('hex');
  return { month, file, sha256, events, streams, firstPosition, lastPosition, treeSize, archivedAt: archivedAt.toISOString() };
};

const gone = (archives: readonly KeptArchive[]): ProblemError =>
  new ProblemError(
    problem({
      status: 410,
      type: 'urn:grantlog:problem:archived',
      title: 'Archived',
      detail: 'It may be among what was archived and left the log since. Ask the files that are named here: grantlog audit archived <file>',
      members: { code: 'archived', archives: archives.map(archiveViewOf) },
    }),
    { reason: 'archived', headers: { 'cache-control': 'no-store' } },
  );

/** Refuses with 410 where a stream that the log does not have may have been archived. @throws ProblemError 410 `archived` */
export const refuseArchivedStream = async (
  pool: Pool,
  of: { readonly platform: PlatformId; readonly streamId: StreamId },
): Promise<void> => {
  const archives = await archivesOf(pool, of);
  if (archives.length > 0) throw gone(archives);
};

/** Refuses with 410 where a position that the log does not have may have been archived. @throws ProblemError 410 `archived` */
export const refuseArchivedPosition = async (
  pool: Pool,
  of: { readonly platform: PlatformId; readonly position: number },
): Promise<void> => {
  const archives = (await listArchives(pool, of)).filter(
    ({ firstPosition, lastPosition }) => firstPosition <= of.position && of.position <= lastPosition,
  );
  if (archives.length > 0) throw gone(archives);
};

/** What was archived, for who has to find the file. */
export const archivesRoute =
  ({ gate, pool }: AuditDeps) =>
  (app: JsonApi): void => {
    app.get(
      '/:platform/audit/archives',
      {
        ...gate.ofPlatform,
        schema: {
          tags: ['Audit'],
          summary: 'The files that old months of the log were written to before they left it',
          params: platformParams,
          response: { 200: Type.Object({ archives: Type.Array(archiveView) }) },
        },
      },
      async (request) => {
        const { names } = await gate.platform(request);
        return { archives: (await listArchives(pool, { platform: names.platform })).map(archiveViewOf) };
      },
    );
  };
