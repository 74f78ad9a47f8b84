import type { KeyRingRefusal, RingKey } from '@grantlog/domain';
import { activateKey, createKey, parseKeyName, retireKey } from '@grantlog/provisioning';
import Type, { type Static } from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { conflicting, missing, orThrow, type RefusalWords } from '../json-api/refusals.ts';
import { changed, exactly, instant, keyReason, nullable, platformParams, position } from '../json-api/schemas.ts';
import { foldKeyRing, platformStreams } from '../platforms/load-parties.ts';
import type { ManagementDeps } from './management-deps.ts';

const words = {
  unknown_platform: missing('No such platform'),
  unknown_key: missing('No such key'),
  key_id_taken: conflicting('Another key was made at the same time; ask again'),
  key_id_out_of_range: conflicting('All ids of token keys are used up'),
  too_many_keys: conflicting('The ring is full: retire keys first'),
  key_superseded: conflicting('The key was superseded; make a new one instead of going back'),
  not_propagated: conflicting(
    'Caches may not know the key yet: wait ten minutes after its creation, or say that its predecessor is compromised',
  ),
  key_active: conflicting('The key is in use: activate another one first'),
  still_verifying: conflicting('Tokens made with the key may still live; a compromised key can be retired at once'),
} as const satisfies Record<KeyRingRefusal | 'unknown_platform', RefusalWords>;

const tags = ['Keys'];
const keyParams = Type.Object({ platform: Type.String(), keyId: Type.String({ maxLength: 100 }) });
const keyId = Type.String({ description: 'The kid of a signing key, the number of a token key' });
const alg = Type.Enum(['RS256', 'ES256', 'EdDSA', 'HS256']);
const newKey = exactly({ alg: Type.Enum(['RS256', 'ES256', 'EdDSA', 'HS256'], { description: 'HS256 for the key of opaque tokens' }) });
const keyView = Type.Object({
  keyId,
  use: Type.Enum(['sign', 'token']),
  alg,
  status: Type.Enum(['pending', 'active', 'verifying']),
  createdAt: instant,
  verifyUntil: nullable(instant),
  publicJwk: nullable(Type.Unsafe<object>({ type: 'object' })),
});

const iso = (ms: number): string => new Date(ms).toISOString();

/** The keys for names and for the log's tree stay unsaid: nothing can be done to them. */
const viewOf = (key: RingKey): readonly Static<typeof keyView>[] =>
  key.use === 'name' || key.use === 'log'
    ? []
    : [
        {
          keyId: String(key.keyId),
          use: key.use,
          alg: key.alg,
          status: key.status,
          createdAt: iso(key.createdAt),
          verifyUntil: key.status === 'verifying' ? iso(key.verifyUntil * 1000) : null,
          publicJwk: key.publicJwk,
        },
      ];

/** The keys of one platform: made pending, activated once caches know them, retired when nothing of theirs can live. */
export const keyRoutes =
  (deps: ManagementDeps) =>
  (app: JsonApi): void => {
    const { gate, provisioning } = deps;

    app.get(
      '/:platform/manage/keys',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'List the keys of a platform, without their secret halves',
          params: platformParams,
          response: { 200: Type.Object({ keys: Type.Array(keyView) }) },
        },
      },
      async (request) => {
        const { names } = await gate.platform(request);
        const ring = foldKeyRing(await deps.log.load(names.platform, platformStreams));
        return { keys: ring.status === 'none' ? [] : ring.keys.flatMap(viewOf) };
      },
    );

    app.post(
      '/:platform/manage/keys',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Make a key; it is published, and makes nothing until it is activated',
          params: platformParams,
          body: newKey,
          response: { 201: Type.Object({ keyId, position }) },
        },
      },
      async (request, reply) => {
        const { names, by } = await gate.platform(request);
        const outcome = orThrow(words, await createKey(provisioning, by, { platform: names.platform, alg: request.body.alg }));
        return reply.code(201).send({ keyId: String(outcome.key.keyId), position: outcome.position });
      },
    );

    for (const [verb, summary, apply] of [
      ['activate', 'Let a key make what its predecessor made until now', activateKey],
      ['retire', 'Take a key off the ring', retireKey],
    ] as const) {
      app.post(
        `/:platform/manage/keys/:keyId/${verb}`,
        {
          ...gate.ofPlatform,
          schema: { tags, summary, params: keyParams, body: exactly({ reason: Type.Optional(keyReason) }), response: { 200: changed } },
        },
        async (request) => {
          const { names, by } = await gate.platform(request);
          const task = {
            platform: names.platform,
            key: parseKeyName(request.params.keyId),
            reason: request.body.reason ?? 'routine',
          } as const;
          return orThrow(words, await apply(provisioning, by, task));
        },
      );
    }
  };
