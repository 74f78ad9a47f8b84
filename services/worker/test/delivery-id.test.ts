import { parseStreamId } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { assert, integer, property, uuid } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deliveryId } from '../src/webhooks/delivery-id.ts';

const of = (endpoint: string, subject: string, position: number, recordedAt: number): string =>
  deliveryId({ platform: 'arlo' as PlatformId, endpoint: endpoint as StreamId, subject: subject as StreamId, position, recordedAt });

describe('the id of a delivery', () => {
  test('is the same for the same event, subject and endpoint, a UUIDv7 of the event, and another for any other', () => {
    assert(
      property(
        uuid(),
        uuid(),
        integer({ min: 1, max: 2 ** 50 }),
        integer({ min: 0, max: 2 ** 43 }),
        (endpoint, subject, position, recordedAt) => {
          const id = of(endpoint, subject, position, recordedAt);
          expect(parseStreamId(id)).toBe(id);
          expect(id[14]).toBe('7');
          expect(Number.parseInt(id.slice(0, 13).replace('-', ''), 16)).toBe(recordedAt);
          expect(of(endpoint, subject, position, recordedAt + 0.5)).toBe(id);
          const others = [
            of(subject, endpoint, position, recordedAt),
            of(endpoint, subject, position + 1, recordedAt),
            of(endpoint, endpoint, position, recordedAt),
          ];
          if (endpoint !== subject) expect(others).not.toContain(id);
        },
      ),
    );
  });
});
