import type { SessionId } from '@grantlog/domain';
import { revokeSession } from '@grantlog/provisioning';
import { beforeEach, describe, expect, test } from 'vitest';
import { verifyEndpoint } from '../src/webhooks/change-endpoint.ts';
import { type Agents, by, clinic, createAgents } from './support/agents.ts';
import { isSignedBy, jwkOfWhpk, type Keyless, refuses } from './support/keyless-receiver.ts';
import { verifyWith } from './support/receiver.ts';
import { useScene } from './support/scene.ts';
import { states } from './support/worker.ts';
import { until } from './support/world.ts';

const scene = useScene();
const deliveryContext = { to: '+15551234567', channel: 'whatsapp', deliver: true };
const verification = 'webhook_endpoint.verification';

let agents: Agents;
beforeEach(async () => {
  agents = await createAgents(scene.world());
});

const secretOf = ({ shown }: Awaited<ReturnType<Agents['begin']>>): string => {
  if (shown.signature !== 'v1') throw new Error('asked for v1');
  return shown.secret;
};

/** One that answers as it is told, also where it is asked to prove its URL. */
const receiverWithProofs = (answer?: Parameters<typeof scene.receiver>[0]) => scene.receiver(answer, { answersProofs: true });

describe('a webhook of a session', () => {
  test('is asked first whether it wants this, and its 2xx verifies it', async () => {
    const receiver = await receiverWithProofs();
    const begun = await agents.begin({ url: receiver.url, webhookToken: 'a-token-of-the-agent', deliveryContext });
    expect(await agents.isVerified(begun.endpoint)).toBe(false);
    await scene.worker();
    await until(() => agents.isVerified(begun.endpoint), Boolean);
    const [asked] = receiver.received;
    if (asked === undefined) throw new Error('nobody was asked');
    verifyWith(secretOf(begun), asked);
    expect(asked.headers.authorization).toBe('Bearer a-token-of-the-agent');
    expect(asked.body).toMatchObject({
      type: verification,
      data: { platform: clinic, endpointId: begun.endpoint, sessionId: begun.session, sequence: 1, deliveryContext },
    });
    expect(receiver.received).toHaveLength(1);
  });

  test('stays unverified for any other answer, and is asked anew at another URL', async () => {
    const deaf = await receiverWithProofs(() => ({ status: 404 }));
    const { session, endpoint } = await agents.begin({ url: deaf.url });
    await agents.link(session, await agents.person());
    await scene.worker();
    await until(
      () => deaf.ofType(verification).length,
      (count) => count === 1,
    );
    const receiver = await receiverWithProofs();
    expect(await agents.isVerified(endpoint)).toBe(false);
    await agents.put(session, { url: receiver.url });
    await until(() => agents.isVerified(endpoint), Boolean);
    expect(receiver.ofType(verification).length).toBeGreaterThan(0);
  });

  test('is not verified by the answer of a receiver that it had before', async () => {
    const { session, endpoint } = await agents.begin({ url: 'https://before.example/hook' });
    await agents.link(session, await agents.person());
    await agents.put(session, { url: 'https://now.example/hook' });
    const { log, pool } = scene.world();
    await verifyEndpoint({ log, pool }, { platform: clinic, endpoint, url: 'https://before.example/hook', told: 1 });
    expect(await agents.isVerified(endpoint)).toBe(false);
    await verifyEndpoint({ log, pool }, { platform: clinic, endpoint, url: 'https://now.example/hook', told: 1 });
    expect(await agents.isVerified(endpoint)).toBe(true);
  });

  test('hears its own session and its grant from beginning to end, and of no other', async () => {
    const [one, other] = [await receiverWithProofs(), await receiverWithProofs()];
    const mine = await agents.begin({ url: one.url, deliveryContext: { to: 'one' }, conversationSessionKey: 'conv_one' });
    const theirs = await agents.begin({ url: other.url, deliveryContext: { to: 'other' }, sessionKey: 'their key' });
    await scene.worker();
    const [person, stranger] = [await agents.person(), await agents.person()];
    const grant = await agents.link(mine.session, person);
    await agents.link(theirs.session, stranger);
    await revokeSession(agents.provisioning, by, { platform: clinic, session: mine.session, reason: 'by_account', account: person });
    await until(
      () => one.received.length,
      (count) => count === 5,
    );
    await until(
      () => other.received.length,
      (count) => count === 3,
    );
    expect(one.received.map(({ body }) => body.type).sort()).toEqual([
      'grant.authorized',
      'grant.revoked',
      'session.linked',
      'session.revoked',
      verification,
    ]);
    for (const request of one.received) {
      verifyWith(secretOf(mine), request);
      expect(() => verifyWith(secretOf(theirs), request)).toThrow();
      expect(request.body.data).toMatchObject({
        sessionId: mine.session,
        deliveryContext: { to: 'one' },
        conversationSessionKey: 'conv_one',
        sessionKey: expect.stringMatching(/^session_/),
      });
    }
    expect(one.ofType('grant.revoked')[0]?.body.data).toMatchObject({ grantId: grant, accountId: person, reason: 'by_account' });
    for (const { body } of other.received) {
      expect(body.data).toMatchObject({ sessionId: theirs.session, deliveryContext: { to: 'other' }, sessionKey: 'their key' });
      expect(body.data).not.toHaveProperty('conversationSessionKey');
    }
  });

  test('is told when the person of its session is erased, and what was sealed for it is gone by then', async () => {
    const receiver = await receiverWithProofs();
    const { session, endpoint } = await agents.begin({ url: receiver.url, deliveryContext });
    await scene.worker();
    const person = await agents.person();
    await agents.link(session, person);
    await until(
      () => receiver.received.length,
      (count) => count === 3,
    );
    await scene.world().pool.query('delete from data_key where platform = $1 and subject = $2', [clinic, endpoint]);
    await agents.append(person, { type: 'account.erased', data: {} });
    const [told] = await until(
      () => receiver.ofType('account.erased'),
      (erased) => erased.length === 1,
    );
    expect(Object.keys(told?.body.data ?? {}).sort()).toEqual(['accountId', 'platform', 'position', 'sequence']);
  });

  test('has its context in no body that is kept', async () => {
    const receiver = await receiverWithProofs();
    const { session } = await agents.begin({ url: receiver.url, deliveryContext, webhookToken: 'a-token-of-the-agent' });
    await scene.worker();
    await agents.link(session, await agents.person());
    await until(
      () => states(scene.world()),
      (found) => found['delivered'] === 2,
    );
    expect(receiver.received.every(({ text }) => text.includes('+15551234567'))).toBe(true);
    const { rows } = await scene
      .world()
      .pool.query<{ kept: string }>(
        'select d::text as kept from delivery_done d union all select a::text from attempt a union all select m::text from message m',
      );
    expect(rows.length).toBeGreaterThan(5);
    for (const { kept } of rows) for (const secret of ['15551234567', 'whatsapp', 'a-token-of']) expect(kept).not.toContain(secret);
  });
});

describe('a webhook token that is rotated', () => {
  /** A receiver that knows one token. */
  const knowing = (tokens: Set<string>, status: number) =>
    receiverWithProofs(({ headers }) => ({ status: tokens.has(String(headers.authorization).slice('Bearer '.length)) ? 204 : status }));

  const rotated = async (url: string): Promise<SessionId> => {
    const { session } = await agents.begin({ url, webhookToken: 'token-one' });
    await agents.link(session, await agents.person());
    await agents.put(session, { url, webhookToken: 'token-two' });
    return session;
  };

  test.each([401, 403])('is followed by the previous one, at once, where its receiver answers %i', async (status) => {
    const known = new Set(['token-one']);
    const receiver = await knowing(known, status);
    const session = await rotated(receiver.url);
    await scene.worker();
    await until(
      () => states(scene.world()),
      (found) => found['delivered'] === 2,
    );
    const attempts = await scene.world().pool.query<{ attempt: number; outcome: string }>('select attempt, outcome from attempt');
    expect(attempts.rows.every(({ attempt, outcome }) => attempt === 1 && outcome === 'delivered')).toBe(true);
    for (const request of receiver.received) expect(request.headers.authorization).toMatch(/^Bearer token-(one|two)$/);
    const [first, again] = receiver.ofType('session.linked');
    expect([first?.headers.authorization, again?.headers.authorization]).toEqual(['Bearer token-two', 'Bearer token-one']);
    expect([again?.id, again?.text, again?.headers['webhook-signature']]).toEqual([
      first?.id,
      first?.text,
      first?.headers['webhook-signature'],
    ]);
    // Once the receiver knows the new one, it alone is sent.
    known.add('token-two');
    const before = receiver.received.length;
    await agents.append(session, { type: 'session.redeemed', data: {} });
    await until(
      () => receiver.ofType('session.redeemed').length,
      (count) => count === 1,
    );
    await until(
      () => states(scene.world()),
      (found) => found['delivered'] === 3,
    );
    expect(receiver.received).toHaveLength(before + 1);
  });

  test('is sent alone where the answer says something else, and the second answer is what counts', async () => {
    const failing = await receiverWithProofs(() => ({ status: 500 }));
    await rotated(failing.url);
    const refusing = await knowing(new Set(), 401);
    await rotated(refusing.url);
    await scene.worker();
    await until(
      () => [failing.received.length, refusing.received.length],
      ([failed = 0, refused = 0]) => failed >= 1 && refused >= 2,
    );
    expect(new Set(failing.received.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer token-two']));
    const { rows } = await until(
      () => scene.world().pool.query<{ outcome: string; status: number }>('select outcome, status from attempt where attempt = 1'),
      (found) => found.rows.length === 2,
    );
    expect(rows.map(({ outcome, status }) => `${outcome} ${status}`).sort()).toEqual(['rejected 401', 'rejected 500']);
  });

  test('is sent alone once the overlap is over', async () => {
    const receiver = await knowing(new Set(['token-two']), 401);
    const { session, endpoint } = await agents.begin({ url: receiver.url, webhookToken: 'token-one' });
    await agents.link(session, await agents.person());
    await agents.put(session, { url: receiver.url, webhookToken: 'token-two' });
    const { rows } = await scene
      .world()
      .pool.query<{ data: { bearerCredential: string } }>('select data from event where stream_id = $1 and version = 1', [endpoint]);
    // Back to the first token, and what the receiver knows is good for no further attempt.
    await agents.append(endpoint, {
      type: 'webhook_endpoint.bearer_rotated',
      data: { credentialId: rows[0]?.data.bearerCredential ?? '', previousValidUntil: Math.floor(Date.now() / 1000) - 1 },
    });
    await scene.worker();
    await until(
      () => receiver.received.length,
      (count) => count >= 2,
    );
    expect(new Set(receiver.received.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer token-one']));
  });
});

describe('a receiver that keeps nothing', () => {
  const keyless = (url: string, token: string | null = null): Keyless => ({
    url,
    token,
    keyOf: async (kid) => (await agents.publicJwks()).find((jwk) => jwk.kid === kid),
  });

  test('verifies every message by the JWKS of the platform, and one that kept its public key by that', async () => {
    const receiver = await receiverWithProofs();
    const { session, shown } = await agents.begin({
      url: `${receiver.url}?key=of-the-receiver`,
      signature: 'v1a',
      webhookToken: 'token-one',
    });
    await agents.link(session, await agents.person());
    await scene.worker();
    await until(
      () => receiver.received.length,
      (count) => count === 3,
    );
    if (shown.signature !== 'v1a') throw new Error('asked for v1a');
    for (const request of receiver.received) {
      expect(await refuses(keyless(receiver.url, 'token-one'), request)).toBeNull();
      expect(await isSignedBy(jwkOfWhpk(shown.publicKey), request)).toBe(true);
      expect(request.text).not.toContain('of-the-receiver');
      const altered = { ...request, text: request.text.replace('"clinic"', '"clinix"') };
      expect(await refuses(keyless(receiver.url, 'token-one'), altered)).toBe('another signature');
    }
  });

  test('refuses what was sent to somebody else, although the same key signed it', async () => {
    const [victim, thief] = [await receiverWithProofs(), await receiverWithProofs()];
    await agents.begin({ url: victim.url, signature: 'v1a' });
    const theirs = await agents.begin({ url: thief.url, signature: 'v1a', deliveryContext: { to: 'the victim' } });
    await scene.worker();
    const [stolen] = await until(
      () => thief.received,
      (received) => received.length === 1,
    );
    if (stolen === undefined || theirs.shown.signature !== 'v1a') throw new Error('nothing was sent');
    expect(await refuses(keyless(thief.url), stolen)).toBeNull();
    expect(await refuses(keyless(victim.url), stolen)).toBe('another audience');
    const [own] = await until(
      () => victim.received,
      (received) => received.length === 1,
    );
    expect(own !== undefined && (await isSignedBy(jwkOfWhpk(theirs.shown.publicKey), own))).toBe(false);
  });
});
