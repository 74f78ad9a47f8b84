import type { ClientKind, ClientOrigin } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';

export type ClientListStatus = 'active' | 'disabled' | 'deleted';
export type ClientListApproval = 'pending' | 'approved' | 'rejected';

/** A client as lists show it. `registeredAt` is milliseconds since the epoch. No secret, and of its owner the pseudonym alone. */
export type ClientRow = {
  readonly client: StreamId;
  readonly version: number;
  readonly firstPosition: number;
  readonly position: number;
  readonly clientId: string;
  readonly name: string;
  readonly owner: StreamId | null;
  readonly kind: ClientKind;
  readonly how: ClientOrigin;
  readonly status: ClientListStatus;
  readonly approval: ClientListApproval;
  readonly hasProposal: boolean;
  /** The name that a proposed change would give it; null where it leaves the name as it is. */
  readonly proposedName: string | null;
  readonly registeredAt: number;
  /** Whether a person has granted it something; told only of clients that registered themselves. */
  readonly used: boolean;
};

export type ClientPatch = Partial<Pick<ClientRow, 'name' | 'kind' | 'status' | 'approval' | 'hasProposal' | 'proposedName' | 'used'>>;

type At = { readonly client: StreamId; readonly version: number; readonly position: number };

/** What one event does to the list. */
export type ClientListChange =
  | { readonly kind: 'begin'; readonly row: ClientRow }
  | ({ readonly kind: 'patch'; readonly set: ClientPatch } & At)
  /** The client is approved, and with it what was proposed. */
  | ({ readonly kind: 'approve' } & At);
