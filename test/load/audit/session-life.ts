import { createDataKey, randomToken, randomUuid, sealPersonal, uuidv7 } from '@grantlog/crypto';
import type { EndpointId, SessionId, SessionTerms } from '@grantlog/domain';
import { deviceCodeGrant, grantDecider, sessionDecider, standing, webhookEndpointDecider } from '@grantlog/domain';
import { insertDataKey } from '@grantlog/postgres';
import { sealDataKey, sessionGrant } from '@grantlog/provisioning';
import type { Random } from '../../recovery/log/random.ts';
import { termsOf } from './code-life.ts';
import { registrationOf } from './endpoint-life.ts';
import { type Granted, partiesOf, rulesOf, standingOf } from './granted.ts';
import { requestOf } from './recorder.ts';
import { isSignedIn, type Visit } from './sign-in-life.ts';
import { openStream } from './stream.ts';
import { useGrant } from './use-grant.ts';
import { type Client, pause, tokenKeyIdOf, type World } from './world.ts';

const begin = async (world: World, random: Random, client: Client, seconds: number) => {
  const { platform } = world;
  const id = uuidv7(Date.now()) as SessionId;
  const dataKey = createDataKey();
  await insertDataKey(world.pool, { platform, subject: id, sealed: sealDataKey(world.sealer, { platform, subject: id, dataKey }) });
  const session = openStream(sessionDecider, id);
  const codeChallenge = random.happens(0.7) ? randomToken(32) : null;
  const tokenNonce = randomToken(32);
  const fields = { address: `203.0.113.${random.below(256)}`, userAgent: 'an-agent/1.0' };
  const { commitId } = await world.record(requestOf({ kind: 'client', id: client.id }), () => {
    if (standing({ firstPosition: null, platform: world.own.state(), client: client.stream.state(), account: null }) !== 'good')
      return { writes: [], reads: [] };
    const terms: SessionTerms = {
      client: client.id,
      clientId: client.clientId,
      via: 'init_signup',
      scopes: ['openid', 'offline_access', 'read'],
      resources: [],
      codeChallenge,
      expiresAt: Math.floor(Date.now() / 1_000) + seconds,
      intervalSeconds: 5,
      tokenKeyId: tokenKeyIdOf(world),
      tokenNonce,
    };
    const { write, refusal } = session.decide({ type: 'start', terms }, (place) => sealPersonal({ dataKey, platform, ...place, fields }));
    return { writes: [write], reads: [world.own, client.stream], refusal };
  });
  if (commitId === null) return null;
  world.made.sessions.push(id);
  return { id, session, terms: { codeChallenge, tokenNonce }, commitId };
};

type Begun = NonNullable<Awaited<ReturnType<typeof begin>>>;

/** The agent wants to hear how it goes: a webhook of this session alone. */
const listen = async (world: World, random: Random, client: Client, { id, session, commitId }: Begun): Promise<void> => {
  const endpoint = world.names.sessionWebhook(id, randomUuid()) as EndpointId;
  const stream = openStream(webhookEndpointDecider, endpoint);
  const registration = { ...registrationOf(random), client: client.id, session: id };
  await world.record(requestOf({ kind: 'client', id: client.id }, commitId), () => {
    const registered = session.decide({ type: 'registerWebhook', endpoint });
    if (registered.refusal !== null) return { writes: [], reads: [], refusal: registered.refusal };
    const made = stream.decide({ type: 'register', allowLoopback: false, ...registration });
    return { writes: [made.write, registered.write], reads: [world.own, client.stream] };
  });
  world.made.endpoints.push(endpoint);
};

const alone = (world: World, begun: Begun, visit: Visit, command: 'deny' | 'revoke' | 'expire') =>
  world.record(requestOf(visit.request.actor), () => {
    const now = Date.now();
    const account = visit.person.id;
    const { write, refusal } = begun.session.decide(
      command === 'deny'
        ? { type: 'deny', now, reason: 'by_account', account }
        : command === 'revoke'
          ? { type: 'revoke', reason: 'by_account', by: account }
          : { type: 'expire', now },
    );
    return { writes: [write], reads: [], refusal };
  });

/** The person's yes: the session's link and its grant, in one commit. */
const link = (world: World, random: Random, visit: Visit, granted: Granted, begun: Begun) => {
  const terms = { ...termsOf(random, visit, granted.client), flow: 'device_code' as const, session: begun.id, resources: [] };
  return world.record(visit.request, () => {
    const stands = standing({
      firstPosition: null,
      platform: world.own.state(),
      client: granted.client.stream.state(),
      account: visit.person.stream.state(),
    });
    if (!isSignedIn(world, visit) || stands !== 'good') return { writes: [], reads: [], refusal: 'not_standing' };
    const now = Date.now();
    const linked = begun.session.decide({ type: 'link', now, account: visit.person.id, signIn: visit.id, standing: stands });
    if (linked.refusal !== null) return { writes: [], reads: [], refusal: linked.refusal };
    const code = {
      expiresAt: Math.floor(now / 1_000) + 600,
      redirectUri: null,
      redirectUriSent: false,
      codeChallenge: begun.terms.codeChallenge,
      tokenKeyId: tokenKeyIdOf(world),
      nonce: null,
    };
    const opened = granted.grant.decide({
      type: 'authorize',
      terms: { ...terms, tokenNonce: begun.terms.tokenNonce },
      code,
      context: null,
    });
    return { writes: [linked.write, opened.write], reads: [...partiesOf(world, granted), visit.signIn] };
  });
};

const redeem = (world: World, granted: Granted, begun: Begun) =>
  world.record(requestOf({ kind: 'client', id: granted.client.id }), () => {
    const now = Date.now();
    const stands = standingOf(world, granted);
    const session = begun.session.decide({ type: 'redeem', now, client: granted.client.id, standing: stands });
    const grant = granted.grant.decide({
      type: 'redeem_code',
      now,
      client: granted.client.id,
      standing: stands,
      redirectUri: null,
      verifierDigest: begun.terms.codeChallenge,
      narrowing: { scopes: null, resource: null },
      rules: rulesOf(world, granted),
      proofKey: null,
    });
    const refusal = session.refusal ?? grant.refusal;
    return refusal === null
      ? { writes: [session.write, grant.write], reads: partiesOf(world, granted) }
      : { writes: [], reads: [], refusal };
  });

/** An agent without a browser brings a person in, who says yes, or no, or nothing. */
export const bySession = async (world: World, random: Random, visit: Visit): Promise<void> => {
  const able = world.clients.filter(({ stream }) => {
    const state = stream.state();
    return state.status === 'active' && state.grantTypes.includes(deviceCodeGrant);
  });
  if (able.length === 0) return;
  const client = random.pick(able);
  const isForgotten = random.happens(0.05);
  const begun = await begin(world, random, client, isForgotten ? 1 : 900);
  if (begun === null) return;
  if (random.happens(0.3)) await listen(world, random, client, begun);
  if (isForgotten)
    return world.beside(async () => {
      await pause(1_050);
      await alone(world, begun, visit, 'expire');
    });
  if (random.happens(0.08)) return void (await alone(world, begun, visit, 'deny'));
  const id = sessionGrant(begun.id);
  const granted: Granted = {
    grant: openStream(grantDecider, id),
    client,
    person: visit.person,
    session: begun.session,
    from: null,
    isShort: false,
    proofKey: null,
  };
  const linked = await link(world, random, visit, granted, begun);
  if (linked.commitId === null) return;
  world.made.grants.push(id);
  await redeem(world, granted, begun);
  await useGrant(world, random, granted);
  if (random.happens(0.1)) await alone(world, begun, visit, 'revoke');
};
