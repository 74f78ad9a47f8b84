import type { Sealer } from '@grantlog/crypto';
import type { AccountId, AccountState } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readPersonal } from '@grantlog/provisioning';
import Type, { type Static } from 'typebox';
import { nullable } from '../json-api/schemas.ts';

export const accountKind = Type.Enum(['person', 'integration'], {
  description: 'An integration account is for a program and never signs in at the form',
});

export const accountView = Type.Object({
  accountId: Type.String(),
  status: Type.Enum(['active', 'disabled', 'erased']),
  reason: nullable(Type.String()),
  kind: nullable(accountKind),
  emailVerified: Type.Boolean({ description: 'Whether its mailbox has answered' }),
  personal: Type.Union([Type.Object({ email: nullable(Type.String()), name: nullable(Type.String()) }), Type.Enum(['erased'])]),
  roles: Type.Array(Type.String()),
  hasPassword: Type.Boolean(),
  factors: Type.Array(Type.Enum(['totp', 'passkey'])),
  contexts: Type.Array(Type.String()),
});

/** An account as operators see it, its secrets aside; what was erased says so. */
export const accountViewOf = (
  sealer: Sealer,
  of: {
    readonly platform: PlatformId;
    readonly accountId: AccountId;
    readonly state: Exclude<AccountState, { status: 'none' }>;
    readonly wrappedKey: Uint8Array | null;
  },
): Static<typeof accountView> => {
  const { platform, accountId, state, wrappedKey } = of;
  if (state.status === 'erased') {
    return {
      accountId,
      status: state.status,
      reason: null,
      kind: null,
      emailVerified: false,
      personal: 'erased',
      roles: [],
      hasPassword: false,
      factors: [],
      contexts: [],
    };
  }
  const personal = readPersonal(sealer, { platform, subject: accountId, wrappedKey, personal: state.personal });
  return {
    accountId,
    status: state.status,
    reason: state.status === 'disabled' ? state.reason : null,
    kind: state.kind,
    emailVerified: state.emailVerified,
    personal: personal === 'erased' ? personal : { email: personal['email'] ?? null, name: personal['name'] ?? null },
    roles: [...state.roles],
    hasPassword: state.passwordCredential !== null,
    factors: state.factors.map(({ factor }) => factor),
    contexts: [...state.contexts.ids],
  };
};
