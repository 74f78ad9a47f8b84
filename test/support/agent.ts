import { createHash, randomBytes } from 'node:crypto';
import { createFormBrowser, type DemoPlatform, decideAs, type FormBrowser } from '@grantlog/cli';

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: Readonly<Record<string, unknown>> };

export type Tokens = { readonly access_token: string; readonly refresh_token: string; readonly id_token?: string };

const base64url = (bytes: Buffer): string => bytes.toString('base64url');

/** A challenge and its verifier. */
export const pkce = () => {
  const verifier = base64url(randomBytes(32));
  return { verifier, challenge: base64url(createHash('sha256').update(verifier).digest()) };
};

export const basic = (client: { readonly client_id: string; readonly client_secret: string }): string =>
  `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`;

/** Sends a form and reads whatever comes back. */
export const post = async (
  url: string,
  form: string | Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof form === 'string' ? form : new URLSearchParams(form),
    redirect: 'manual',
  });
  const text = await response.text();
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    body = { text };
  }
  return { status: response.status, headers: response.headers, body };
};

/** An agent of a demo platform that speaks raw HTTP to any API process, so that tests see every byte of the answers. */
export const createAgent = (platform: {
  readonly name: string;
  readonly demo: DemoPlatform;
  /** What it asks for; the identity scopes and `offline_access` unless the platform has others. */
  readonly scope?: string;
}) => {
  const { name, demo, scope = 'openid profile email offline_access' } = platform;
  const authorization = basic(demo.client);
  const at = (api: { readonly url: string }, path: string): string => `${api.url}/${name}${path}`;

  const authorizationUrl = (api: { readonly url: string }, challenge: string, change: Readonly<Record<string, string>> = {}): string =>
    `${at(api, '/oauth/authorize')}?${new URLSearchParams({
      response_type: 'code',
      client_id: demo.client.client_id,
      redirect_uri: demo.client.redirect_uri,
      scope,
      state: 'state-1',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...change,
    })}`;

  return {
    authorization,
    at,
    authorizationUrl,
    /** A fresh code of an allowed grant. */
    code: async (
      api: { readonly url: string },
      change: Readonly<Record<string, string>> = {},
      browser: FormBrowser = createFormBrowser({ origin: new URL(demo.issuer).origin }),
    ) => {
      const { verifier, challenge } = pkce();
      const callback = await decideAs(browser, authorizationUrl(api, challenge, change), { ...demo.account, decision: 'allow' });
      return { code: callback.searchParams.get('code') ?? '', verifier };
    },
    redeem: (
      api: { readonly url: string },
      code: { readonly code: string; readonly verifier: string },
      change: Readonly<Record<string, string>> = {},
    ) =>
      post(
        at(api, '/oauth/token'),
        {
          grant_type: 'authorization_code',
          code: code.code,
          code_verifier: code.verifier,
          redirect_uri: demo.client.redirect_uri,
          ...change,
        },
        { authorization },
      ),
    refresh: (api: { readonly url: string }, token: string, change: Readonly<Record<string, string>> = {}) =>
      post(at(api, '/oauth/token'), { grant_type: 'refresh_token', refresh_token: token, ...change }, { authorization }),
    revoke: (api: { readonly url: string }, token: string) => post(at(api, '/oauth/revoke'), { token }, { authorization }),
    introspect: (api: { readonly url: string }, token: string) => post(at(api, '/oauth/introspect'), { token }, { authorization }),
  };
};

export type Agent = ReturnType<typeof createAgent>;
