import { parseStreamId } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { assert, integer, property, uuid } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { messageId } from '../src/webhooks/message-id.ts';

const of = (subject: string, position: number, recordedAt: number): string =>
  messageId({ platform: 'arlo' as PlatformId, subject: subject as StreamId, position, recordedAt });

describe('the id of a message', () => {
  test('is the same for the same event and subject, a UUIDv7 of the event, and another for any other', () => {
    assert(
      property(
        uuid(),
        uuid(),
        integer({ min: 1, max: 2 ** 50 }),
        integer({ min: 0, max: 2 ** 43 }),
        (subject, other, position, recordedAt) => {
          const id = of(subject, position, recordedAt);
          expect(parseStreamId(id)).toBe(id);
          expect(id[14]).toBe('7');
          expect(Number.parseInt(id.slice(0, 13).replace('-', ''), 16)).toBe(recordedAt);
          expect(of(subject, position, recordedAt + 0.5)).toBe(id);
          expect(of(subject, position + 1, recordedAt)).not.toBe(id);
          if (other !== subject) expect(of(other, position, recordedAt)).not.toBe(id);
        },
      ),
    );
  });
});
