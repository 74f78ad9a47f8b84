import { specification } from '@grantlog/eventsourcing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SessionCommand, type SessionEvent, type SessionRefusal, sessionDecider, sessionWebhookLimit } from '../src/index.ts';
import {
  account,
  client,
  denied,
  deny,
  endpointAt,
  expired,
  link,
  linked,
  over,
  redeem,
  redeemed,
  revoked,
  signIn,
  start,
  started,
  terms,
  thief,
  webhook,
  wrongNumber,
} from './session-fixtures.ts';

const { given, replay } = specification(sessionDecider);
const begin: SessionCommand = { type: 'start', terms };
const revoke: SessionCommand = { type: 'revoke', reason: 'by_account', by: account };
const expire = (now = over): SessionCommand => ({ type: 'expire', now });
const register = (index: number): SessionCommand => ({ type: 'registerWebhook', endpoint: endpointAt(index) });

const expiredAt = (at: number): SessionEvent => ({ type: 'session.expired', data: { at } });

/** Every way in which a session ends, with what it is told from then on. */
const ends: readonly (readonly [string, SessionEvent, SessionRefusal])[] = [
  ['denied', denied, 'session_denied'],
  ['denied by a wrong number', wrongNumber, 'session_denied'],
  ['expired', expired, 'session_expired'],
  ['revoked', revoked, 'session_revoked'],
];

describe('a sign-up session', () => {
  test('begins once, with what its agent asked for and where it came from, sealed', () => {
    given([])
      .when(begin)
      .expect({ events: [started] });
    given([started]).when(begin).expect({ events: [], refusal: 'session_exists' });
    given([started, revoked]).when(begin).expect({ events: [], refusal: 'session_exists' });
    expect(replay([{ ...started, personal: new Uint8Array([1, 2]), position: 7, recordedAt: start }])).toEqual({
      status: 'pending',
      terms,
      firstPosition: 7,
      startedAt: start,
      personal: { streamId: '01890000-0000-7000-8000-000000000001', version: 1, sealed: 'AQI=' },
      endpoints: [],
    });
  });

  test.each<SessionCommand>([link(), deny(), redeem(), revoke, expire(), register(1)])('that never began knows no $type', (command) => {
    given([]).when(command).expect({ events: [], refusal: 'unknown_session' });
  });

  test('is linked to one account, by one sign-in', () => {
    given([started])
      .when(link())
      .expect({ events: [linked] });
    expect(replay([started, { ...linked, recordedAt: 9 }])).toMatchObject({ status: 'linked', account, signIn, linkedAt: 9 });
  });

  test.each<[string, readonly SessionEvent[]]>([
    ['linked', [started, linked]],
    ['redeemed', [started, linked, redeemed]],
  ])('that is %s is decided', (_, events) => {
    given(events).when(link()).expect({ events: [], refusal: 'already_decided' });
    given(events).when(deny()).expect({ events: [], refusal: 'already_decided' });
  });

  test.each(['by_account', 'wrong_number'] as const)('is denied (%s), by whom and even by nobody that is known', (reason) => {
    given([started])
      .when(deny({ reason, account: null }))
      .expect({ events: [{ type: 'session.denied', data: { reason, account: null } }] });
    expect(replay([started, { type: 'session.denied', data: { reason, account }, recordedAt: 9 }])).toMatchObject({
      status: 'ended',
      reason,
      account,
      linkedAt: null,
      endedAt: 9,
    });
  });

  test('waits for somebody’s answer before it is redeemed', () => {
    given([started]).when(redeem()).expect({ events: [], refusal: 'authorization_pending' });
    given([started, linked])
      .when(redeem())
      .expect({ events: [redeemed] });
    expect(replay([started, linked, { ...redeemed, recordedAt: 9 }])).toMatchObject({ status: 'redeemed', account, redeemedAt: 9 });
  });

  test('is redeemed once: whether it was a replay is its grant’s to say', () => {
    given([started, linked, redeemed]).when(redeem()).expect({ events: [], refusal: 'already_redeemed' });
    given([started, linked, redeemed])
      .when(redeem({ now: over + 1 }))
      .expect({ events: [], refusal: 'already_redeemed' });
  });

  test.each<[string, readonly SessionEvent[]]>([
    ['pending', [started]],
    ['linked', [started, linked]],
    ['redeemed', [started, linked, redeemed]],
    ['denied', [started, denied]],
    ['expired', [started, expired]],
    ['revoked', [started, linked, redeemed, revoked]],
  ])('that is %s tells no other client of it', (_, events) => {
    given(events)
      .when(redeem({ client: thief, now: over + 1, standing: 'client_disabled' }))
      .expect({ events: [], refusal: 'wrong_client' });
  });

  test('of somebody who may not act now is neither linked nor redeemed, and nobody is kept waiting', () => {
    for (const standing of ['client_disabled', 'account_erased', 'revoked_with_client'] as const) {
      given([started]).when(link({ standing })).expect({ events: [], refusal: 'not_standing' });
      given([started]).when(redeem({ standing })).expect({ events: [], refusal: 'not_standing' });
      given([started, linked]).when(redeem({ standing })).expect({ events: [], refusal: 'not_standing' });
    }
  });

  test('is answered, redeemed and expired at its last millisecond, and never on both sides of it', () => {
    for (const [now, isOver] of [
      [over - 1, false],
      [over, true],
    ] as const) {
      const unless = (events: readonly SessionEvent[]) => (isOver ? { events: [], refusal: 'session_expired' as const } : { events });
      given([started])
        .when(link({ now }))
        .expect(unless([linked]));
      given([started])
        .when(deny({ now }))
        .expect(unless([denied]));
      given([started, linked])
        .when(redeem({ now }))
        .expect(unless([redeemed]));
      const expiry = isOver ? { events: [expiredAt(now)] } : { events: [], refusal: 'not_expired' as const };
      for (const events of [[started], [started, linked]]) given(events).when(expire(now)).expect(expiry);
    }
  });

  test('that is redeemed does not run out: its grant does', () => {
    given([started, linked, redeemed])
      .when(expire(over + 1e9))
      .expect({ events: [], refusal: 'not_expired' });
  });

  test.each<[string, readonly SessionEvent[], object]>([
    ['pending', [started], { account: null, linkedAt: null }],
    ['linked', [started, linked], { account, linkedAt: 2 }],
    ['redeemed', [started, linked, redeemed], { account, linkedAt: 2 }],
  ])('that is %s is revoked for good', (_, events, kept) => {
    given(events)
      .when(revoke)
      .expect({ events: [revoked] });
    expect(replay([...events, revoked])).toMatchObject({ status: 'ended', reason: 'revoked', terms, firstPosition: 1, ...kept });
  });

  test.each(ends)('that was %s stays so', (_, end, refusal) => {
    const events = [started, end];
    for (const command of [link(), deny(), redeem(), register(1), redeem({ standing: 'client_disabled' })])
      given(events).when(command).expect({ events: [], refusal });
    for (const command of [revoke, expire(over + 1)]) given(events).when(command).expect({ events: [] });
    const state = replay(events);
    for (const late of [started, linked, redeemed, denied, expired, revoked, webhook(1)]) expect(replay([...events, late])).toEqual(state);
  });

  test('remembers its webhooks in their order, each once, to its end', () => {
    given([started])
      .when(register(1))
      .expect({ events: [webhook(1)] });
    given([started, webhook(1)])
      .when(register(1))
      .expect({ events: [] });
    expect(replay([started, webhook(2), linked, webhook(1), webhook(2), redeemed, revoked])).toMatchObject({
      status: 'ended',
      endpoints: [endpointAt(2), endpointAt(1)],
    });
  });

  test('has ten webhooks and no more', () => {
    const full = [started, ...Array.from({ length: sessionWebhookLimit }, (_, index) => webhook(index))];
    expect(sessionWebhookLimit).toBe(10);
    given(full).when(register(10)).expect({ events: [], refusal: 'too_many_webhooks' });
    given(full).when(register(3)).expect({ events: [] });
    given(full.slice(0, -1))
      .when(register(10))
      .expect({ events: [webhook(10)] });
  });

  test('is answered once, redeemed at most once after it and ended at most once, in whatever order it is asked', () => {
    const times = fc.integer({ min: start, max: over + 10_000 });
    const standing = fc.constantFrom('good' as const, 'client_disabled' as const);
    const commands: fc.Arbitrary<SessionCommand> = fc.oneof(
      fc.record({ type: fc.constant('link' as const), now: times, account: fc.constant(account), signIn: fc.constant(signIn), standing }),
      fc.record({
        type: fc.constant('deny' as const),
        now: times,
        reason: fc.constantFrom('by_account' as const, 'wrong_number' as const),
        account: fc.constant(account),
      }),
      fc.record({ type: fc.constant('redeem' as const), now: times, client: fc.constantFrom(client, thief), standing }),
      fc.constantFrom(revoke, begin, register(1)),
      times.map((now) => expire(now)),
    );
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 30 }), (asked) => {
        const events: SessionEvent[] = [started];
        for (const command of asked) events.push(...given(events).when(command).decision().events);
        const story = events.map(({ type }) => type).filter((type) => type !== 'session.webhook_registered');
        expect(story.join(' ')).toMatch(/^session\.started( session\.linked( session\.redeemed)?)?( session\.(denied|expired|revoked))?$/);
        // Who denies has not linked before.
        expect(story.join(' ')).not.toContain('session.linked session.denied');
        expect(replay(events)).toMatchObject({
          terms,
          endpoints: events.some(({ type }) => type.endsWith('registered')) ? [endpointAt(1)] : [],
        });
      }),
    );
  });
});
