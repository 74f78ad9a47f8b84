import * as oauth from 'oauth4webapi';
import { Problem } from '../problem.ts';
import type { Demo } from '../seed/contract.ts';

/** A token of the operator's machine, by client credentials. */
export const operatorToken = async (demo: Pick<Demo, 'url' | 'operator'>, scope: 'manage' | 'audit'): Promise<string> => {
  const issuer = new URL(`${demo.url}/system`);
  const insecure = { [oauth.allowInsecureRequests]: issuer.protocol === 'http:' };
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));
  const { client_id: clientId, client_secret: secret } = demo.operator.client;
  const client: oauth.Client = { client_id: clientId };
  const response = await oauth.clientCredentialsGrantRequest(server, client, oauth.ClientSecretBasic(secret), { scope }, insecure);
  return (await oauth.processClientCredentialsResponse(server, client, response)).access_token;
};

/** Calls the management API as the operator's machine. */
export const signInOperator = async (demo: Demo) => {
  const token = await operatorToken(demo, 'manage');
  return {
    call: async (method: string, path: string, body?: object): Promise<Readonly<Record<string, unknown>>> => {
      const answer = await fetch(`${demo.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok)
        throw new Problem(
          `${method} ${path} was answered with ${answer.status}: ${text.slice(0, 500)}`,
          'Look at the API log in .grantlog/logs',
        );
      return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    },
  };
};
