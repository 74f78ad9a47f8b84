import { type StreamId, specification } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import { type NameEvent, nameDecider } from '../src/index.ts';

const [ann, bob] = ['00000000-0003-8000-8000-00000000000a' as StreamId, '00000000-0003-8000-8000-00000000000b' as StreamId];
const claimed = (owner: StreamId): NameEvent => ({ type: 'name.claimed', data: { kind: 'email', owner } });
const released: NameEvent = { type: 'name.released', data: {} };
const { given, replay } = specification(nameDecider);

describe('a unique name', () => {
  test('goes to the first who claims it', () => {
    given([])
      .when({ type: 'claim', kind: 'email', owner: ann })
      .expect({ events: [claimed(ann)] });
    given([claimed(ann)])
      .when({ type: 'claim', kind: 'email', owner: bob })
      .expect({ events: [], refusal: 'name_taken' });
  });

  test('is refused to its own owner too, so that a replayed one-time id is caught', () => {
    given([claimed(ann)])
      .when({ type: 'claim', kind: 'jti', owner: ann })
      .expect({ events: [], refusal: 'name_taken' });
  });

  test('is released by its owner alone, and once', () => {
    given([claimed(ann)])
      .when({ type: 'release', owner: bob })
      .expect({ events: [], refusal: 'not_owner' });
    given([claimed(ann)])
      .when({ type: 'release', owner: ann })
      .expect({ events: [released] });
    given([claimed(ann), released])
      .when({ type: 'release', owner: ann })
      .expect({ events: [] });
    given([]).when({ type: 'release', owner: ann }).expect({ events: [] });
  });

  test('may be claimed by somebody else after its release', () => {
    given([claimed(ann), released])
      .when({ type: 'claim', kind: 'email', owner: bob })
      .expect({ events: [claimed(bob)] });
    expect(replay([claimed(ann), released, claimed(bob)])).toEqual({ status: 'claimed', kind: 'email', owner: bob, firstPosition: 1 });
  });
});
