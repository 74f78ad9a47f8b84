import type { RecordedEvent } from '@grantlog/eventsourcing';
import { expect, test } from 'vitest';
import { timeline } from '../src/audit/timeline.ts';

const event = (type: string, version: number, data: RecordedEvent['data']): RecordedEvent =>
  ({
    type,
    version,
    position: version,
    recordedAt: 0,
    actor: { kind: 'client', id: 'c' },
    correlationId: 'r',
    data,
  }) as unknown as RecordedEvent;

test('a grant’s timeline names the scopes and the resource of every issue, in either order', () => {
  const events = [
    event('grant.authorized', 1, { scopes: ['openid', 'email'], resources: ['https://api.example'] }),
    event('grant.refreshed', 2, { issue: { scopes: [1], resource: 0, sequence: 2 } }),
    event('grant.refreshed', 3, { issue: { scopes: [0, 7], resource: null, sequence: 3 } }),
  ];
  for (const order of [events, events.toReversed()]) {
    const lines = timeline(order).join('\n');
    expect(lines).toContain('{ scopes: email, resource: https://api.example, sequence: 2 }');
    expect(lines).toContain('{ scopes: openid 7, resource: null, sequence: 3 }');
  }
});
