import type { GrantFlow, RevocationReason } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';

export type GrantListStatus = 'authorized' | 'active' | 'expired' | 'revoked' | 'denied';

/** Why a grant ended: its own event, or a revocation of everything that its client, account or platform allowed. */
export type GrantEnd = RevocationReason | 'revoked_with_client' | 'revoked_with_account' | 'revoked_with_platform';

/** A grant as lists show it. Times are milliseconds since the epoch. No personal data, no token, no secret. */
export type GrantRow = {
  readonly grantId: StreamId;
  readonly version: number;
  readonly firstPosition: number;
  readonly position: number;
  readonly flow: GrantFlow;
  readonly client: StreamId;
  readonly clientId: string;
  readonly account: StreamId | null;
  readonly session: StreamId | null;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly context: string | null;
  readonly status: GrantListStatus;
  readonly reason: string | null;
  readonly tokenSequence: number;
  readonly authorizedAt: number;
  readonly lastIssuedAt: number | null;
  readonly expiresAt: number | null;
  readonly endedAt: number | null;
};

export type GrantPatch = Partial<
  Pick<GrantRow, 'status' | 'reason' | 'context' | 'tokenSequence' | 'lastIssuedAt' | 'expiresAt' | 'endedAt'>
>;

type At = { readonly grantId: StreamId; readonly version: number; readonly position: number };

/** What one event does to the list. */
export type GrantListChange =
  | { readonly kind: 'begin'; readonly row: GrantRow }
  | ({ readonly kind: 'patch'; readonly set: GrantPatch } & At)
  | {
      readonly kind: 'cut_off';
      readonly of: 'client' | 'account' | 'platform';
      readonly subject: StreamId;
      readonly position: number;
      readonly at: number;
    };
