import type { DomainEvent } from '@grantlog/eventsourcing';
import type { PlatformDocument } from './document.ts';

/** Facts of a platform's own stream. A `reason` is an operator's fixed phrase and names no person. */
export type PlatformEvent =
  | DomainEvent<'platform.configured', { readonly document: PlatformDocument }>
  | DomainEvent<'platform.suspended', { readonly reason: string }>
  | DomainEvent<'platform.resumed', Record<string, never>>
  | DomainEvent<'platform.grants_revoked', { readonly reason: string }>;
