import { randomToken } from '@grantlog/crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Described, openDescribed, plain } from '../metadata-documents/support/described.ts';

/** Clients that a document of theirs describes: remembered where an operator vouches for its site, and only as they were. */
let world: Described;

beforeAll(async () => {
  world = await openDescribed(inject('databaseUrl'));
});
afterAll(() => world.close());

const trusting = { metadataDocuments: { trusted: ['localhost'] } };

/** A person who has allowed the client of a document, and what they see when it sends them again. */
const allowedOn = async (platform: Described['home'], url: string) => {
  const challenge = randomToken(32);
  const request = { code_challenge: challenge, code_challenge_method: 'S256' };
  const at = await world.atConsent(url, request, platform);
  const first = await world.decide(at);
  expect(first.result.location).toContain('code=');
  const query = { response_type: 'code', client_id: url, redirect_uri: at.redirectUri, scope: 'read', state: 's', ...request };
  const visit = () => world.during(() => at.browser.open(`/oauth/authorize?${new URLSearchParams(query)}`), platform);
  return { ...at, first, visit };
};

test('one of a site that nobody vouches for is asked about every time', async () => {
  const { first, visit } = await allowedOn(world.home, world.site.describe('/unknown', plain));
  expect(first.events.map(({ data }) => (data as { readonly kind?: string }).kind)).not.toContain('consent');
  const { result, types } = await visit();
  expect([result.location, result.text.includes('name="decision"'), types]).toEqual([undefined, true, []]);
});

test('one of a trusted site is not asked about again, until the trust is withdrawn', async () => {
  const platform = await world.configurePlatform('trusting-sites', trusting);
  const { visit } = await allowedOn(platform, world.site.describe('/trusted', plain));
  const { result, types } = await visit();
  expect([new URL(result.location ?? '').searchParams.has('code'), types]).toEqual([true, ['grant.authorized']]);
  await world.configurePlatform('trusting-sites');
  expect((await visit()).types).toEqual([]);
});

test('one whose document says something else by now is asked about, and the decision records what it says', async () => {
  const platform = await world.configurePlatform('watching-sites', trusting);
  const url = world.site.describe('/changing', plain);
  const { browser, visit } = await allowedOn(platform, url);
  world.site.describe('/changing', { ...plain, client_name: 'Another Robot' });
  world.wait(86_400);
  const { result: page, types } = await visit();
  expect([page.text.includes('Allow Another Robot?'), types]).toEqual([true, []]);
  const decided = await world.decide({ browser, page, platform });
  expect([...decided.types].sort()).toEqual(['client.updated', 'grant.authorized', 'name.claimed', 'name.released']);
  expect((await visit()).types).toEqual(['grant.authorized']);
});

test('one whose document says something else by now is asked about by each who has allowed it, whoever decides first', async () => {
  const platform = await world.configurePlatform('many-people', trusting);
  const url = world.site.describe('/shared', plain);
  const [one, other] = [await allowedOn(platform, url), await allowedOn(platform, url)];
  world.site.describe('/shared', { ...plain, client_name: 'Another Robot' });
  world.wait(86_400);
  const { result: page } = await one.visit();
  await world.decide({ browser: one.browser, page, platform });
  const { result, types } = await other.visit();
  expect([result.text.includes('Allow Another Robot?'), types]).toEqual([true, []]);
  await world.decide({ browser: other.browser, page: result, platform });
  expect((await other.visit()).types).toEqual(['grant.authorized']);
});
