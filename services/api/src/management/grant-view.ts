import type { GrantState, GrantTerms, Standing } from '@grantlog/domain';
import Type, { type Static } from 'typebox';
import { instant, nullable } from '../json-api/schemas.ts';

/** What was allowed, as every view of a grant has it. */
export const grantTermsView = {
  grantId: Type.String(),
  flow: Type.String(),
  clientId: Type.String(),
  clientStream: Type.String(),
  account: nullable(Type.String()),
  scopes: Type.Array(Type.String()),
  resources: Type.Array(Type.String()),
  context: nullable(Type.String()),
  authorizedAt: instant,
};
const tokens = Type.Object({
  sequence: Type.Integer(),
  issuedAt: instant,
  accessExpiresAt: instant,
  refreshExpiresAt: nullable(instant),
  revokedAccessTokens: Type.Integer(),
});
const delegation = Type.Object(
  {
    actors: Type.Array(Type.String(), { description: 'Client ids, the present actor first' }),
    sources: Type.Array(Type.Object({ grantId: Type.String(), sequence: Type.Integer(), expiresAt: instant }), {
      description: 'The tokens that were exchanged on the way here, the latest first: it is dead with any of them',
    }),
  },
  { description: 'Of a grant by token exchange; null for what was allowed directly' },
);
export const grantView = Type.Union([
  Type.Object({ grantId: Type.String(), status: Type.Enum(['denied']) }),
  Type.Object({
    ...grantTermsView,
    status: Type.Enum(['authorized', 'active', 'ended']),
    standing: Type.String({ description: 'Whether client, account and platform let it act: good, or the first reason why not' }),
    tokens: nullable(tokens),
    delegation: nullable(delegation),
    reason: nullable(Type.String()),
    endedAt: nullable(instant),
  }),
]);

const iso = (time: number): string => new Date(time).toISOString();

const tokensOf = (state: GrantState): Static<typeof tokens> | null => {
  if (state.status !== 'active') return null;
  const { sequence, issuedAt, accessExpiresAt, refreshExpiresAt } = state.current;
  return {
    sequence,
    issuedAt: iso(issuedAt),
    accessExpiresAt: iso(accessExpiresAt * 1000),
    refreshExpiresAt: refreshExpiresAt === null ? null : iso(refreshExpiresAt * 1000),
    revokedAccessTokens: state.revokedAccess.length,
  };
};

const delegationOf = ({ delegation: found }: GrantTerms): Static<typeof delegation> | null =>
  found === undefined
    ? null
    : {
        actors: [...found.actors],
        sources: found.sources.map(({ grant, sequence, expiresAt }) => ({ grantId: grant, sequence, expiresAt: iso(expiresAt * 1000) })),
      };

/** A folded grant without what its tokens are made from: no nonce, no challenge. */
export const grantViewOf = (
  grantId: string,
  state: Exclude<GrantState, { status: 'none' }>,
  stands: Standing,
): Static<typeof grantView> => {
  if (state.status === 'denied') return { grantId, status: 'denied' };
  return {
    grantId,
    flow: state.terms.flow,
    clientId: state.terms.clientId,
    clientStream: state.terms.client,
    account: state.terms.account,
    scopes: [...state.terms.scopes],
    resources: [...state.terms.resources],
    context: state.context,
    authorizedAt: iso(state.authorizedAt),
    status: state.status,
    standing: stands,
    tokens: tokensOf(state),
    delegation: delegationOf(state.terms),
    reason: state.status === 'ended' ? state.reason : null,
    endedAt: state.status === 'ended' ? iso(state.endedAt) : null,
  };
};
