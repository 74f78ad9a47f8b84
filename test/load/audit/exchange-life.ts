import { randomToken, uuidv7 } from '@grantlog/crypto';
import type { GrantId, GrantTerms } from '@grantlog/domain';
import { delegate, findKey, grantDecider, isAccessLive, tokenExchangeGrant } from '@grantlog/domain';
import type { Random } from '../../recovery/log/random.ts';
import { act, expire, type Granted, partiesOf, rulesOf, standingOf } from './granted.ts';
import { requestOf } from './recorder.ts';
import { openStream } from './stream.ts';
import { useAssertion } from './use-assertion.ts';
import type { Client, World } from './world.ts';

/** The grants whose tokens one stands on, the latest first, as its terms have them. */
const chainOf = (granted: Granted): readonly Granted[] => (granted.from === null ? [] : [granted.from, ...chainOf(granted.from)]);

const contextOf = ({ grant }: Granted): string | null => {
  const state = grant.state();
  return 'context' in state ? state.context : null;
};

/** Whether every token that terms stand on is still good. */
const sourcesLive = (world: World, chain: readonly Granted[], { delegation }: Pick<GrantTerms, 'delegation'>, context: string | null) =>
  (delegation?.sources ?? []).every(({ sequence, expiresAt, key }, index) => {
    const source = chain[index];
    return (
      source !== undefined &&
      isAccessLive(source.grant.state(), { sequence, expiresAt, now: Date.now() }) &&
      contextOf(source) === context &&
      findKey(world.ring.state(), key) !== undefined &&
      standingOf(world, source) === 'good'
    );
  });

/** The terms on which a client goes on with the present token of a grant; null where there is no such token or nothing to pass on. */
const termsFrom = (world: World, from: Granted, client: Client, tokenNonce: string): GrantTerms | null => {
  const [grant, platform] = [from.grant.state(), world.own.state()];
  if (grant.status !== 'active' || platform.status !== 'active' || standingOf(world, from) !== 'good') return null;
  const { sequence, accessExpiresAt: expiresAt, scopes, resource, tokenKeyId: keyId } = grant.current;
  if (!sourcesLive(world, chainOf(from), grant.terms, grant.context)) return null;
  const { document } = platform;
  const decided = delegate({
    subject: {
      terms: grant.terms,
      source: { grant: from.grant.id as GrantId, sequence, expiresAt, key: { use: 'token', keyId } },
      scopes: scopes.flatMap((index) => grant.terms.scopes[index] ?? []),
      resource: resource === null ? null : (grant.terms.resources[resource] ?? null),
    },
    actor: { client: client.id, clientId: client.clientId },
    document,
    allowed: { scopes: document.scopes.map(({ name }) => name), resources: document.resources.map(({ uri }) => uri) },
    scopes: null,
    resources: [],
    tokenNonce,
  });
  if (!decided.ok) return null;
  return sourcesLive(world, [from, ...chainOf(from)], decided.terms, grant.context) ? decided.terms : null;
};

/** A client goes on with the token of a grant, for the person behind it (RFC 8693): once, or over another client once more. */
export const exchangeToken = async (world: World, random: Random, from: Granted): Promise<void> => {
  const able = world.clients.filter(({ stream }) => {
    const state = stream.state();
    return state.status === 'active' && state.approval === 'approved' && state.grantTypes.includes(tokenExchangeGrant);
  });
  if (able.length === 0) return;
  const client = random.pick(able);
  const id = uuidv7(Date.now()) as GrantId;
  const isShort = random.happens(0.04);
  const granted: Granted = {
    grant: openStream(grantDecider, id),
    client,
    person: from.person,
    session: null,
    from,
    isShort,
    proofKey: null,
  };
  const tokenNonce = randomToken(32);
  const chain = chainOf(granted);
  const request = requestOf({ kind: 'client', id: client.id });
  await useAssertion(world, client, request);
  const { commitId } = await world.record(request, () => {
    const terms = standingOf(world, granted) === 'good' ? termsFrom(world, from, client, tokenNonce) : null;
    if (terms === null) return { writes: [], reads: [], refusal: 'nothing_to_exchange' };
    const { write, refusal } = granted.grant.decide({
      type: 'issue_to_client',
      terms,
      now: Date.now(),
      rules: { ...rulesOf(world, granted), refreshTokenSeconds: null },
      narrowing: { scopes: null, resource: terms.resources[0] ?? null },
      proofKey: null,
      context: contextOf(from),
    });
    const stands = [...partiesOf(world, granted), world.ring, ...chain.flatMap((source) => [source.grant, ...partiesOf(world, source)])];
    return { writes: [write], reads: [...new Set(stands)], refusal };
  });
  if (commitId === null) return;
  world.made.grants.push(id);
  if (random.happens(0.2)) await exchangeToken(world, random, granted);
  const now = granted.grant.state();
  if (random.happens(0.15) && now.status === 'active') {
    const { sequence, accessExpiresAt: expiresAt } = now.current;
    const presented = { sequence, expiresAt };
    const revoke = () => ({ type: 'revoke_access_token' as const, now: Date.now(), client: client.id, presented });
    await act(world, granted, { kind: 'client', id: client.id }, revoke);
  }
  if (isShort) expire(world, granted);
};
