import type { Brand, PlatformId, StreamId } from '@grantlog/eventsourcing';

export type AccountId = Brand<StreamId, 'AccountId'>;
export type ClientStreamId = Brand<StreamId, 'ClientStreamId'>;
export type GrantId = Brand<StreamId, 'GrantId'>;
export type SessionId = Brand<StreamId, 'SessionId'>;
export type SignInId = Brand<StreamId, 'SignInId'>;
export type EndpointId = Brand<StreamId, 'EndpointId'>;
export type AuditReadId = Brand<StreamId, 'AuditReadId'>;
export type ArchiveId = Brand<StreamId, 'ArchiveId'>;
export type NameId = Brand<StreamId, 'NameId'>;

/** The wire's `client_id`; the client's stream id is derived from it. */
export type ClientId = Brand<string, 'ClientId'>;

/** Milliseconds since the epoch by the database's clock, with a fraction down to the microsecond. */
export type Instant = number;

/**
 * The kind code in the prefix of a stream id without end (`00000000-KKKK-8…`), so that an id says what it is.
 * Grants, sessions and sign-ins end; their ids are UUIDv7 and need no code.
 */
export const standingKinds = {
  platform: 0x0001,
  keyRing: 0x0002,
  account: 0x0003,
  client: 0x0004,
  name: 0x0005,
  webhookEndpoint: 0x0006,
  archive: 0x0007,
} as const;

/** The stream of the platform itself; one a platform, and the platform is part of every key. */
export const platformStream = '00000000-0001-8000-8000-000000000000' as StreamId;

/** The stream of the platform's keys. */
export const keyRingStream = '00000000-0002-8000-8000-000000000000' as StreamId;

const platformName = /^[a-z][a-z0-9-]{0,39}$/;
const streamShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The platform that a path or an argument names, or null when no platform could have that name. */
export const parsePlatformId = (text: string): PlatformId | null => (platformName.test(text) ? (text as PlatformId) : null);

/** A stream id from outside, or null when it is not one (canonical lower case only). */
export const parseStreamId = (text: string): StreamId | null => (streamShape.test(text) ? (text as StreamId) : null);

/** Operators and the machines that manage belong to this platform. */
export const systemPlatform = 'system' as PlatformId;
