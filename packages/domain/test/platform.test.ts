import { specification } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import { type PlatformEvent, platformDecider } from '../src/index.ts';
import { documentOf } from './documents.ts';

const document = documentOf();
const configured: PlatformEvent = { type: 'platform.configured', data: { document } };
const suspended: PlatformEvent = { type: 'platform.suspended', data: { reason: 'unpaid' } };
const { given, replay } = specification(platformDecider);

describe('a platform', () => {
  test('is configured for the first time', () => {
    given([])
      .when({ type: 'configure', document })
      .expect({ events: [configured] });
  });

  test('records nothing when the document says the same with its keys in another order', () => {
    const reordered = Object.fromEntries(Object.entries(document).reverse()) as typeof document;
    given([configured]).when({ type: 'configure', document: reordered }).expect({ events: [] });
  });

  test('takes a changed document and keeps its first position, suspension and not-before', () => {
    const changed = { ...document, displayName: 'Acme again' };
    given([configured])
      .when({ type: 'configure', document: changed })
      .expect({ events: [{ type: 'platform.configured', data: { document: changed } }] });
    const revoked: PlatformEvent = { type: 'platform.grants_revoked', data: { reason: 'breach' } };
    expect(replay([configured, suspended, revoked, { type: 'platform.configured', data: { document: changed } }])).toEqual({
      status: 'suspended',
      reason: 'unpaid',
      document: changed,
      firstPosition: 1,
      revokedBefore: 3,
    });
  });

  test('refuses to become a platform of another name', () => {
    given([configured])
      .when({ type: 'configure', document: { ...document, name: 'other' } })
      .expect({ events: [], refusal: 'name_changed' });
  });

  test('refuses every command but configure while nothing stands', () => {
    given([]).when({ type: 'suspend', reason: 'unpaid' }).expect({ events: [], refusal: 'unknown_platform' });
    given([]).when({ type: 'resume' }).expect({ events: [], refusal: 'unknown_platform' });
    given([]).when({ type: 'revokeGrants', reason: 'breach' }).expect({ events: [], refusal: 'unknown_platform' });
  });

  test('is suspended once and resumed once', () => {
    given([configured])
      .when({ type: 'suspend', reason: 'unpaid' })
      .expect({ events: [suspended] });
    given([configured, suspended]).when({ type: 'suspend', reason: 'late' }).expect({ events: [] });
    given([configured, suspended])
      .when({ type: 'resume' })
      .expect({ events: [{ type: 'platform.resumed', data: {} }] });
    given([configured]).when({ type: 'resume' }).expect({ events: [] });
    expect(replay([configured, suspended, { type: 'platform.resumed', data: {} }])).toEqual(replay([configured]));
  });

  test('revokes again at a higher position, even while suspended', () => {
    const revoked: PlatformEvent = { type: 'platform.grants_revoked', data: { reason: 'breach' } };
    given([configured, revoked, suspended])
      .when({ type: 'revokeGrants', reason: 'breach' })
      .expect({ events: [revoked] });
    expect(replay([configured, revoked, { ...revoked, position: 40 }])).toMatchObject({ revokedBefore: 40 });
  });
});
