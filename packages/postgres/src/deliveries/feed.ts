import type { PlatformId, StreamId } from '@grantlog/eventsourcing';

/** Whose messages are read: all of a platform, those that a client or a session may read, or those about one grant. */
export type FeedAudience =
  | { readonly kind: 'platform' }
  | { readonly kind: 'reader'; readonly id: StreamId }
  | { readonly kind: 'about'; readonly id: StreamId };

export type Feed = { readonly platform: PlatformId; readonly audience: FeedAudience };

/** A place between two messages: right after the one that has these. */
export type FeedPlace = { readonly position: number; readonly ordinal: number; readonly id: string };

/** After everything that was told of the events up to a position. */
export const afterPosition = (position: number): FeedPlace => ({
  position,
  ordinal: 2_147_483_647,
  id: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
});

/** Types that are nobody's but their endpoint's: they are about whether it answers. */
export const ownTypes = ['webhook_endpoint.verification', 'webhook_endpoint.test'] as const;

export const readerOf = (audience: FeedAudience): StreamId | null => (audience.kind === 'reader' ? audience.id : null);
export const aboutOf = (audience: FeedAudience): StreamId | null => (audience.kind === 'about' ? audience.id : null);
