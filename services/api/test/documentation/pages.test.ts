import { jwtBearerGrant, type PlatformDocument, parsePlatformDocument, tokenExchangeGrant } from '@grantlog/domain';
import { describe, expect, test } from 'vitest';
import { authenticationPage } from '../../src/documentation/authentication-page.ts';
import { clientsPage } from '../../src/documentation/clients-page.ts';
import { webhooksPage } from '../../src/documentation/webhooks-page.ts';

const issuer = 'https://as.example/quiet';

const documentOf = (change: object = {}): PlatformDocument => {
  const parsed = parsePlatformDocument({
    name: 'quiet',
    displayName: 'Quiet',
    scopes: [{ name: 'read', description: 'Read your things', default: true }],
    grantTypes: ['authorization_code', 'refresh_token'],
    ...change,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document;
};
const authentication = (change?: object): string => authenticationPage.write({ document: documentOf(change), issuer });
const clients = (change?: object): string => clientsPage.write({ document: documentOf(change), issuer });

const openid = { scopes: [{ name: 'openid', description: 'Know which account is yours', default: true }] };

describe('the page about authentication', () => {
  test('names nothing that the platform does not have', () => {
    const text = authentication();
    for (const absent of [
      '/oauth/userinfo',
      'openid-configuration',
      '/oauth/register',
      '/oauth/end_session',
      'token-exchange',
      'ID-JAG',
      'null',
    ])
      expect(text).not.toContain(absent);
  });

  test.each([
    ['registration, where it is open', { registration: { policy: ['open'] } }, `${issuer}/oauth/register`],
    ['userinfo, where people sign in to apps', openid, `${issuer}/oauth/userinfo`],
    ['how people are signed out, where they sign in', openid, `${issuer}/oauth/end_session`],
    ['token exchange', { grantTypes: ['authorization_code', tokenExchangeGrant] }, `grant_type=${tokenExchangeGrant}`],
    [
      'assertions of identity providers, where one is trusted',
      {
        grantTypes: ['authorization_code', jwtBearerGrant],
        trustedIssuers: [{ issuer: 'https://idp.example', jwksUri: 'https://idp.example/jwks.json' }],
      },
      `grant_type=${jwtBearerGrant}`,
    ],
    ['for which object a connection is, where there are several', { contexts: { noun: 'Safe' } }, '## For which Safe'],
  ])('has %s', (_what, change, words) => {
    expect(authentication()).not.toContain(words);
    expect(authentication(change)).toContain(words);
  });
});

describe('the page about clients', () => {
  test('says how to come by a document and by registering only where either is taken', () => {
    const both = clients({ registration: { policy: ['open', 'metadata_document'], unusedClientDays: 3 } });
    for (const words of ['## By a document of your own', '## By registering itself', `${issuer}/oauth/register`, 'after 3 days']) {
      expect(both).toContain(words);
      expect(clients()).not.toContain(words);
    }
  });
});

describe('the page about webhooks', () => {
  const webhooks = (change?: object): string => webhooksPage.write({ document: documentOf(change), issuer });

  test('says how endpoints of one’s own are managed and verified, and of sessions only where agents sign people up', () => {
    const signUp = {
      grantTypes: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      agentSignUp: { unidentifiedClient: 'agent' },
      presetClients: [
        { clientId: 'agent', name: 'Agent', type: 'public', grantTypes: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'] },
      ],
    };
    for (const words of [`POST ${issuer}/webhooks/endpoints`, `${issuer}/webhooks/endpoints/{endpointId}/jwks.json`, 'a week at most']) {
      expect(webhooks()).toContain(words);
      expect(webhooks(signUp)).toContain(words);
    }
    for (const words of ['init_signup', 'webhookUrl']) {
      expect(webhooks()).not.toContain(words);
      expect(webhooks(signUp)).toContain(words);
    }
  });
});
