import { expect } from 'vitest';
import { basic, pkce, post } from './agent.ts';
import type { Deployment } from './deployment.ts';
import { createVisitor, type Visit, type Visitor } from './visitor.ts';
import type { TestAccount, TestClient } from './workbench.ts';

type Fields = Readonly<Record<string, string>>;

/** A client of a platform and the browsers that it sends there, every request of theirs in the test's hands. */
export const createConsentFlow = (flow: {
  readonly deployment: Pick<Deployment, 'apis' | 'publicUrl'>;
  readonly platform: string;
  readonly client: TestClient;
  readonly account: TestAccount;
}) => {
  const { verifier, challenge } = pkce();
  const { client } = flow;
  const at = (path: string): string => `${flow.deployment.apis[0]?.url}/${flow.platform}${path}`;

  const authorizeUrl = (change: Fields = {}): string =>
    at(
      `/oauth/authorize?${new URLSearchParams({
        response_type: 'code',
        client_id: client.client_id,
        redirect_uri: client.redirect_uri,
        scope: 'openid read',
        state: 'state-1',
        code_challenge: challenge,
        code_challenge_method: 'S256',
        ...change,
      })}`,
    );
  const newVisitor = (): Visitor => createVisitor(new URL(flow.deployment.publicUrl).origin);
  const signIn = (visitor: Visitor, page: Visit, account = flow.account, change: Fields = {}): Promise<Visit> =>
    visitor.post(at('/sign-in'), { ...page.hidden, email: account.email, password: account.password, ...change });
  const decide = (visitor: Visitor, page: Visit, decision: string, change: Fields = {}): Promise<Visit> =>
    visitor.post(at('/consent'), { ...page.hidden, decision, ...change });
  /** A browser that sees the consent page of a fresh request. */
  const atConsent = async (change: Fields = {}, account = flow.account): Promise<{ readonly visitor: Visitor; readonly page: Visit }> => {
    const visitor = newVisitor();
    const page = await signIn(visitor, await visitor.open(authorizeUrl(change)), account);
    expect(page.text).toContain('name="decision"');
    return { visitor, page };
  };

  return {
    at,
    authorizeUrl,
    newVisitor,
    signIn,
    decide,
    atConsent,
    /** A fresh code of an allowed request. */
    code: async (change: Fields = {}): Promise<string> => {
      const { visitor, page } = await atConsent(change);
      return (await decide(visitor, page, 'allow')).location?.searchParams.get('code') ?? '';
    },
    redeem: (code: string | undefined, change: Fields = {}, headers: Fields = { authorization: basic(client) }) =>
      post(
        at('/oauth/token'),
        { grant_type: 'authorization_code', code: code ?? '', code_verifier: verifier, redirect_uri: client.redirect_uri, ...change },
        headers,
      ),
    refresh: (token: string, change: Fields = {}, headers: Fields = { authorization: basic(client) }) =>
      post(at('/oauth/token'), { grant_type: 'refresh_token', refresh_token: token, ...change }, headers),
    introspect: (token: string) => post(at('/oauth/introspect'), { token }, { authorization: basic(client) }),
    revoke: (token: string) => post(at('/oauth/revoke'), { token }, { authorization: basic(client) }),
  };
};

export type ConsentFlow = ReturnType<typeof createConsentFlow>;

export const answerOf = (visit: Visit): Fields => Object.fromEntries(visit.location?.searchParams ?? []);

/** The claims of a JWT, unverified. */
export const claimsOf = (jwt: unknown): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(String(jwt).split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;
