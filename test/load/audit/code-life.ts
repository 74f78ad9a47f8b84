import { randomToken, uuidv7 } from '@grantlog/crypto';
import type { CodeTerms, GrantId, GrantTerms } from '@grantlog/domain';
import { grantDecider } from '@grantlog/domain';
import type { Random } from '../../recovery/log/random.ts';
import { act, expire, type Granted, partiesOf, rulesOf, standingOf } from './granted.ts';
import { isSignedIn, type Visit } from './sign-in-life.ts';
import { openStream } from './stream.ts';
import { useGrant } from './use-grant.ts';
import { type Client, tokenKeyIdOf, type World } from './world.ts';

const resources = ['https://records.clinic.example/mcp', 'https://letters.clinic.example/mcp'];
const scopes = ['openid', 'offline_access', 'read', 'write', 'share'];

/** What a visit allows a client, less the nonce. */
export const termsOf = (random: Random, visit: Visit, client: Client): Omit<GrantTerms, 'flow' | 'session' | 'tokenNonce'> => {
  const signIn = visit.signIn.state();
  return {
    client: client.id,
    clientId: client.clientId,
    account: visit.person.id,
    signIn: visit.id,
    scopes: scopes.slice(0, 3 + random.below(3)),
    resources: [random.pick(resources)],
    authTime: signIn.status === 'active' ? signIn.authTime : null,
    amr: signIn.status === 'active' ? signIn.amr : [],
  };
};

/** A client comes with an authorization request; the person allows it, or not, and the code is redeemed, mostly once. */
export const byCode = async (world: World, random: Random, visit: Visit): Promise<void> => {
  const client = random.pick(world.clients.slice(1));
  const id = uuidv7(Date.now()) as GrantId;
  const granted: Granted = {
    grant: openStream(grantDecider, id),
    client,
    person: visit.person,
    session: null,
    from: null,
    isShort: random.happens(0.04),
    proofKey: random.happens(0.1) ? randomToken(32) : null,
  };
  const verifierDigest = randomToken(32);
  const redirectUri = `https://${client.clientId}.example/callback`;
  const terms: Omit<GrantTerms, 'tokenNonce'> = { ...termsOf(random, visit, client), flow: 'authorization_code', session: null };
  const tokenNonce = randomToken(32);
  const isDenied = random.happens(0.05);
  const context = random.happens(0.3) ? random.pick(['record-1', 'record-2']) : null;
  const opened = await world.record(visit.request, () => {
    if (!isSignedIn(world, visit) || standingOf(world, granted) !== 'good') return { writes: [], reads: [], refusal: 'not_standing' };
    const code: CodeTerms = {
      expiresAt: Math.floor(Date.now() / 1_000) + (granted.isShort ? 2 : 600),
      redirectUri,
      redirectUriSent: true,
      codeChallenge: verifierDigest,
      tokenKeyId: tokenKeyIdOf(world),
      nonce: null,
      ...(granted.proofKey === null ? {} : { dpopJkt: granted.proofKey }),
    };
    const reads = [...partiesOf(world, granted), visit.signIn];
    if (isDenied) return { writes: [granted.grant.decide({ type: 'deny', terms }).write], reads };
    const authorized = granted.grant.decide({ type: 'authorize', terms: { ...terms, tokenNonce }, code, context });
    return { writes: [authorized.write, client.stream.decide({ type: 'use' }).write], reads };
  });
  if (opened.commitId === null) return;
  world.made.grants.push(id);
  if (isDenied) return;
  // Some never come for what they asked for.
  if (random.happens(0.06)) return expire(world, granted);
  const redeem = () =>
    act(world, granted, { kind: 'client', id: client.id }, () => ({
      type: 'redeem_code',
      now: Date.now(),
      client: client.id,
      standing: standingOf(world, granted),
      redirectUri,
      verifierDigest,
      narrowing: { scopes: null, resource: null },
      rules: rulesOf(world, granted),
      proofKey: granted.proofKey,
    }));
  await redeem();
  if (random.happens(0.01)) await redeem();
  await useGrant(world, random, granted);
};

/** A client acts by itself, for nobody. */
export const byItself = async (world: World, random: Random): Promise<void> => {
  const client = random.pick(world.clients);
  const state = client.stream.state();
  if (state.status !== 'active' || !state.grantTypes.includes('client_credentials')) return;
  const id = uuidv7(Date.now()) as GrantId;
  const granted: Granted = {
    grant: openStream(grantDecider, id),
    client,
    person: null,
    session: null,
    from: null,
    isShort: false,
    proofKey: null,
  };
  const tokenNonce = randomToken(32);
  const refused = await act(world, granted, { kind: 'client', id: client.id }, () => ({
    type: 'issue_to_client',
    terms: {
      flow: 'client_credentials',
      client: client.id,
      clientId: client.clientId,
      account: null,
      session: null,
      signIn: null,
      scopes: ['read'],
      resources: [],
      authTime: null,
      tokenNonce,
    },
    now: Date.now(),
    rules: { ...rulesOf(world, granted), refreshTokenSeconds: null },
    narrowing: { scopes: null, resource: null },
    proofKey: null,
    context: null,
  }));
  if (refused === null) world.made.grants.push(id);
};
