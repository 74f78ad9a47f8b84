import type { ClientState } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { createAuthority } from '../../../../../test/support/certificates.ts';
import { openSite } from '../../../../../test/support/site.ts';
import { createMetadataDocuments } from '../../../src/metadata-documents/metadata-documents.ts';
import { foldClient } from '../../../src/platforms/load-parties.ts';
import { openAgentWorld, type Seen } from '../../pages/support/agents.ts';

type Fields = Readonly<Record<string, string>>;

const verifier = 'a-verifier-of-the-test-with-more-than-forty-three-characters';
const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))).toString('base64url');

/** What a client says of itself at least. */
export const plain = { client_name: 'Robot', redirect_uris: ['https://robot.example/cb'], token_endpoint_auth_method: 'none' } as const;

/** A server that trusts the authority of a site, whose documents describe clients; its clock for them is the test's. */
export const openDescribed = async (databaseUrl: string) => {
  const authority = createAuthority();
  const site = await openSite(authority);
  const clock = { ahead: 0 };
  const world = await openAgentWorld(
    databaseUrl,
    { egressAllow: [site.destination], egressCa: authority.pem, isDevelopment: false },
    ({ egress }) => ({ metadataDocuments: createMetadataDocuments({ egress, now: () => Date.now() + clock.ahead }) }),
  );
  const configure = (name: string, registration: object = {}): Promise<PlatformId> =>
    world.configure(name, { registration: { policy: ['preset', 'metadata_document'], ...registration } });
  const home = await configure('home');

  const authorizePath = (clientId: string, change: Fields = {}): string =>
    `/oauth/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: plain.redirect_uris[0],
      scope: 'read',
      state: 'state-1',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...change,
    })}`;
  /** What somebody sees who is sent there by the client, in a browser that nobody has signed in with. */
  const open = (clientId: string, change: Fields = {}, platform = home): Promise<Seen> =>
    world.createBrowser(platform).open(authorizePath(clientId, change));
  /** A browser that sees the consent page of the client. */
  const atConsent = async (clientId: string, change: Fields = {}, platform = home) => {
    const person = await world.account(platform);
    const browser = world.createBrowser(platform);
    const form = await browser.open(authorizePath(clientId, change));
    const page = await browser.post('/sign-in', { ...form.hidden, email: person.email, password: person.password });
    return { browser, page, person, platform, clientId, redirectUri: change['redirect_uri'] ?? plain.redirect_uris[0] };
  };
  type AtConsent = Awaited<ReturnType<typeof atConsent>>;
  const decide = (at: Pick<AtConsent, 'browser' | 'page' | 'platform'>, decision: 'allow' | 'deny' = 'allow') =>
    world.during(() => at.browser.post('/consent', { ...at.page.hidden, decision }), at.platform);

  const post = async (path: string, form: Fields, platform = home) => {
    const response = await world.app.inject({
      method: 'POST',
      url: `/${platform}${path}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(form).toString(),
    });
    return { status: response.statusCode, body: response.json() as Readonly<Record<string, string>> };
  };
  return {
    ...world,
    home,
    site,
    authority,
    configurePlatform: configure,
    /** Lets the time of the documents' cache pass. */
    wait: (seconds: number): void => {
      clock.ahead += seconds * 1000;
    },
    open,
    atConsent,
    decide,
    refresh: (refreshToken: string, clientId: string, platform = home) =>
      post('/oauth/token', { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId }, platform),
    /** Pushes the request that {@link open} would send a browser with. */
    push: (clientId: string) => post('/oauth/par', Object.fromEntries(new URLSearchParams(authorizePath(clientId).split('?')[1]))),
    /** The tokens of what the person has just allowed. */
    redeem: (allowed: { readonly result: Seen }, { clientId, redirectUri, platform }: AtConsent, more: Fields = {}) => {
      const code = new URL(allowed.result.location ?? '').searchParams.get('code') ?? '';
      const form = {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        client_id: clientId,
        code_verifier: verifier,
        ...more,
      };
      return post('/oauth/token', form, platform);
    },
    clientOf: async (clientId: string, platform = home): Promise<ClientState> => {
      const names = await world.deps.directory.open(platform);
      if (names === null) throw new Error(`${platform} is not there`);
      const stream = names.client(clientId);
      return foldClient(await world.deps.log.load(platform, [{ streamId: stream }]), stream);
    },
    close: async (): Promise<void> => {
      await world.close();
      await site.goDown();
    },
  };
};

export type Described = Awaited<ReturnType<typeof openDescribed>>;
