import type { PlatformDocument, PlatformRefusal } from '@grantlog/domain';
import { parsePlatformDocument, parsePlatformId, systemPlatform } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { listPlatforms } from '@grantlog/postgres';
import { changePlatform, configurePlatform, type PlatformConfigured } from '@grantlog/provisioning';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { conflicting, missing, orThrow, type RefusalWords, refusalProblem } from '../json-api/refusals.ts';
import { changed, noBody, nullable, reasonBody } from '../json-api/schemas.ts';
import { invalidContents } from '../json-api/validate.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { noSuchPlatform } from './gate.ts';
import type { ManagementDeps } from './management-deps.ts';
import { managesEverything, mayManage, roleMissing } from './operator.ts';

const words = {
  unknown_platform: missing('No such platform'),
  name_changed: conflicting('The document names another platform than the one that stands here'),
  system_platform_needed: conflicting('Without the system platform no operator could ever sign in again: it is not suspended from here'),
} as const satisfies Record<PlatformRefusal | 'system_platform_needed', RefusalWords>;

const tags = ['Platforms'];
const named = Type.Object({ name: Type.String() });
const document = Type.Unsafe<unknown>({
  type: 'object',
  description: 'A platform document. It is checked whole, and every problem is told at once',
});
const platformView = Type.Object({
  name: Type.String(),
  issuer: Type.String(),
  status: Type.Enum(['active', 'suspended']),
  reason: nullable(Type.String()),
  document: Type.Unsafe<PlatformDocument>({ type: 'object', description: 'The document, with every default filled in' }),
});
const summary = Type.Object({
  name: Type.String(),
  displayName: Type.String(),
  issuer: Type.String(),
  status: Type.Enum(['active', 'suspended']),
});

const bodyLimit = 1_048_576;

type UnfitPreset = Extract<PlatformConfigured, { readonly clientId: string }>;

const presetProblems = {
  preset_client_taken: {
    problem: 'which somebody else registered',
    fix: 'Choose another clientId, or leave this client to its owner and remove it here.',
  },
  preset_client_deleted: {
    problem: 'which was deleted: its id is never given to another client',
    fix: 'Choose another clientId.',
  },
  preset_client_kind_changed: {
    problem: 'whose type was another when it was registered, and never changes',
    fix: 'Set type as it was, or choose another clientId.',
  },
} as const satisfies Record<UnfitPreset['refusal'], { readonly problem: string; readonly fix: string }>;

const unfitPreset = ({ refusal, clientId }: UnfitPreset) => {
  const { problem, fix } = presetProblems[refusal];
  return invalidContents('platform document', [{ path: 'presetClients', problem: `names "${clientId}", ${problem}`, fix }]);
};

/** Platforms as such: their documents, and what ends or suspends everything on one. */
export const platformRoutes =
  (deps: ManagementDeps) =>
  (app: JsonApi): void => {
    const { gate, provisioning, config } = deps;
    const stateOf = async (platform: PlatformId) => foldPlatform(await deps.log.load(platform, platformStreams));
    const idOf = (name: string): PlatformId => {
      const platform = parsePlatformId(name);
      if (platform === null) throw noSuchPlatform();
      return platform;
    };

    app.get(
      '/system/manage/platforms',
      {
        ...gate.ofAny,
        schema: {
          tags,
          summary: 'List the platforms that you may manage',
          response: { 200: Type.Object({ platforms: Type.Array(summary) }) },
        },
      },
      async (request) => {
        const { operator } = gate.passed(request);
        const mine = (await listPlatforms(deps.pool)).filter((platform) => mayManage(operator, platform));
        if (mine.length === 0 && !managesEverything(operator)) throw roleMissing('operator');
        const states = await Promise.all(mine.map(stateOf));
        return {
          platforms: states.flatMap((state) =>
            state.status === 'none'
              ? []
              : [
                  {
                    name: state.document.name,
                    displayName: state.document.displayName,
                    issuer: issuerOf(state.document, config.publicUrl),
                    status: state.status,
                  },
                ],
          ),
        };
      },
    );

    app.get(
      '/system/manage/platforms/:name',
      { ...gate.ofNamed, schema: { tags, summary: 'Read a platform', params: named, response: { 200: platformView } } },
      async (request) => {
        const state = await stateOf(idOf(request.params.name));
        if (state.status === 'none') throw noSuchPlatform();
        return {
          name: state.document.name,
          issuer: issuerOf(state.document, config.publicUrl),
          status: state.status,
          reason: state.status === 'suspended' ? state.reason : null,
          document: state.document,
        };
      },
    );

    app.put(
      '/system/manage/platforms/:name',
      {
        ...gate.ofNamed,
        bodyLimit,
        schema: {
          tags,
          summary: 'Create a platform, or bring it to a document',
          params: named,
          body: document,
          response: { 200: changed, 201: changed },
        },
      },
      async (request, reply) => {
        const { operator, by } = gate.passed(request);
        const platform = idOf(request.params.name);
        const parsed = parsePlatformDocument(request.body);
        if (!parsed.ok) throw invalidContents('platform document', parsed.problems);
        if (parsed.document.name !== platform) {
          throw invalidContents('platform document', [
            {
              path: 'name',
              problem: `is not ${platform}, as the path has it`,
              fix: `Set it to "${platform}", or put the document elsewhere.`,
            },
          ]);
        }
        const before = await stateOf(platform);
        const stood = before.status === 'none' ? { issuer: null, hosts: [], resources: [] } : before.document;
        const { issuer, hosts, resources } = parsed.document;
        // Origins belong to the installation: a tenant's own operator could otherwise take another tenant's.
        const moves = issuer !== stood.issuer || hosts.join() !== stood.hosts.join();
        // So does what this server reaches: everybody could otherwise read, through it, what only it can reach.
        const known = new Set(stood.resources.map(({ upstream }) => upstream));
        const reaches = resources.some(({ upstream }) => upstream !== null && !known.has(upstream));
        if ((moves || reaches) && !managesEverything(operator)) throw roleMissing('operator');
        const configured = await configurePlatform(provisioning, by, parsed.document);
        if ('clientId' in configured) throw unfitPreset(configured);
        const outcome = orThrow(words, configured);
        return reply
          .code(outcome.kind === 'created' ? 201 : 200)
          .header('location', `/system/manage/platforms/${platform}`)
          .send({ position: outcome.position, changed: outcome.kind !== 'unchanged' });
      },
    );

    app.post(
      '/system/manage/platforms/:name/suspend',
      {
        ...gate.ofNamed,
        schema: {
          tags,
          summary: 'Suspend everything on a platform until it is resumed',
          params: named,
          body: reasonBody,
          response: { 200: changed },
        },
      },
      async (request) => {
        const { by } = gate.passed(request);
        const platform = idOf(request.params.name);
        if (platform === systemPlatform) throw refusalProblem(words, 'system_platform_needed');
        const command = { type: 'suspend', reason: request.body.reason ?? 'unspecified' } as const;
        return orThrow(words, await changePlatform(provisioning, by, { platform, command }));
      },
    );
    app.post(
      '/system/manage/platforms/:name/resume',
      {
        ...gate.ofNamed,
        schema: { tags, summary: 'Resume a suspended platform', params: named, body: noBody, response: { 200: changed } },
      },
      async (request) => {
        const { by } = gate.passed(request);
        return orThrow(words, await changePlatform(provisioning, by, { platform: idOf(request.params.name), command: { type: 'resume' } }));
      },
    );
    app.post(
      '/system/manage/platforms/:name/revoke-grants',
      {
        ...gate.ofNamed,
        schema: {
          tags,
          summary: 'End every grant that a platform has, for good',
          params: named,
          body: reasonBody,
          response: { 200: changed },
        },
      },
      async (request) => {
        const { by } = gate.passed(request);
        const command = { type: 'revokeGrants', reason: request.body.reason ?? 'unspecified' } as const;
        return orThrow(words, await changePlatform(provisioning, by, { platform: idOf(request.params.name), command }));
      },
    );
  };
