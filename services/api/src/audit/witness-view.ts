import { type AuditTree, listWitnesses, type Pool, type WitnessStanding } from '@grantlog/postgres';
import Type, { type Static } from 'typebox';
import { instant, nullable } from '../json-api/schemas.ts';

/** How far a witness has come, as anybody may know. Where it is stands nowhere here. */
export const witnessView = Type.Object({
  name: Type.String({ description: 'The name of its key; `file` where it is a file of the operator' }),
  verifierKey: nullable(Type.String({ description: 'As C2SP signed-note writes it; believe another place than this one' })),
  size: Type.Integer({ description: 'Of the largest tree that it has taken; 0 where it has none' }),
  seenAt: nullable(instant),
  failure: nullable(
    Type.Object({
      reason: Type.String({ description: '`ahead` and `inconsistent`: it holds another history of the log than this server' }),
      since: instant,
    }),
  ),
  conflictedAt: nullable(Type.String({ format: 'date-time', description: 'When it last held another history; never taken back' })),
});

const viewOf = ({ witness, size, seenAt, failure, failingSince, conflictedAt }: WitnessStanding): Static<typeof witnessView> => {
  const isFile = witness.startsWith('file:');
  return {
    // The name is what stands before the first plus.
    name: isFile ? 'file' : (witness.split('+', 1)[0] ?? ''),
    verifierKey: isFile ? null : witness,
    size,
    seenAt: seenAt?.toISOString() ?? null,
    failure: failure === null || failingSince === null ? null : { reason: failure, since: failingSince.toISOString() },
    conflictedAt: conflictedAt?.toISOString() ?? null,
  };
};

/** The witnesses of a tree. */
export const witnessesOf = async (pool: Pool, tree: AuditTree): Promise<Static<typeof witnessView>[]> =>
  (await listWitnesses(pool, tree)).map(viewOf);
