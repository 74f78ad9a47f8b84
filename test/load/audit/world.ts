import type { Sealer } from '@grantlog/crypto';
import type {
  AccountCommand,
  AccountId,
  AccountRefusal,
  AccountState,
  ClientCommand,
  ClientId,
  ClientRefusal,
  ClientState,
  ClientStreamId,
  EndpointId,
  GrantCommand,
  GrantId,
  GrantRefusal,
  GrantState,
  KeyRingCommand,
  KeyRingRefusal,
  KeyRingState,
  NameCommand,
  NameRefusal,
  NameState,
  PlatformCommand,
  PlatformRefusal,
  PlatformState,
  SessionCommand,
  SessionId,
  SessionRefusal,
  SessionState,
  SignInCommand,
  SignInId,
  SignInRefusal,
  SignInState,
  WebhookEndpointCommand,
  WebhookEndpointRefusal,
  WebhookEndpointState,
} from '@grantlog/domain';
import { activeKey } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { Pool } from '@grantlog/postgres';
import type { PlatformNames } from '@grantlog/provisioning';
import type { Recorder } from './recorder.ts';
import type { Seal, Stream } from './stream.ts';

export type PlatformStream = Stream<PlatformState, PlatformCommand, PlatformRefusal>;
export type RingStream = Stream<KeyRingState, KeyRingCommand, KeyRingRefusal>;
export type AccountStream = Stream<AccountState, AccountCommand, AccountRefusal>;
export type ClientStream = Stream<ClientState, ClientCommand, ClientRefusal>;
export type GrantStream = Stream<GrantState, GrantCommand, GrantRefusal>;
export type NameStream = Stream<NameState, NameCommand, NameRefusal>;
export type SessionStream = Stream<SessionState, SessionCommand, SessionRefusal>;
export type SignInStream = Stream<SignInState, SignInCommand, SignInRefusal>;
export type EndpointStream = Stream<WebhookEndpointState, WebhookEndpointCommand, WebhookEndpointRefusal>;

export type Client = { readonly clientId: ClientId; readonly id: ClientStreamId; readonly stream: ClientStream };

/** A person, with the names they hold and the key that their personal data is sealed under. */
export type Person = {
  readonly id: AccountId;
  readonly stream: AccountStream;
  readonly names: NameStream[];
  readonly sealed: (fields: Readonly<Record<string, string>>) => Seal;
};

/** The ids of what was made, each kind in the order in which it began. */
export type Made = {
  readonly accounts: readonly AccountId[];
  readonly clients: readonly ClientStreamId[];
  readonly grants: readonly GrantId[];
  readonly sessions: readonly SessionId[];
  readonly signIns: readonly SignInId[];
  readonly endpoints: readonly EndpointId[];
};

/** What all lives of one platform share. */
export type World = {
  readonly platform: PlatformId;
  readonly pool: Pool;
  readonly sealer: Sealer;
  readonly names: PlatformNames;
  readonly record: Recorder['record'];
  /** The platform's own stream. */
  readonly own: PlatformStream;
  readonly ring: RingStream;
  readonly clients: Client[];
  readonly made: { readonly [Kind in keyof Made]: Made[Kind][number][] };
  /** Whether as many events as were asked for stand. */
  readonly isOver: () => boolean;
  /** Lets something go on that nobody waits for before the end. */
  readonly beside: (work: () => Promise<void>) => void;
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The key that new tokens are made with. */
export const tokenKeyIdOf = ({ ring }: Pick<World, 'ring'>): number => {
  const key = activeKey(ring.state(), { use: 'token', alg: 'HS256' });
  if (key?.use !== 'token') throw new Error('no token key is active');
  return key.keyId;
};
