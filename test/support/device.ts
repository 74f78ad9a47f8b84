import { deviceCodeGrant } from '@grantlog/domain';
import { type Answer, basic, post } from './agent.ts';
import type { TestClient } from './workbench.ts';

type Fields = Readonly<Record<string, string>>;
type Api = { readonly url: string };

/** What a platform's document has beside the workbench's own, so that agents may begin sign-ups and poll every second. */
export const deviceDocument = {
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', deviceCodeGrant],
  presetClients: [{ clientId: 'unnamed', name: 'Unnamed', type: 'public', grantTypes: [deviceCodeGrant, 'refresh_token'] }],
  agentSignUp: { unidentifiedClient: 'unnamed', intervalSeconds: 1 },
} as const;

export const deviceGrantTypes = [deviceCodeGrant, 'refresh_token'] as const;

/** What began: all three are secrets. */
export type Begun = { readonly deviceCode: string; readonly userCode: string; readonly link: string };

/** A device that speaks raw HTTP to any API process. Without a secret it names itself in the form. */
export const createDevice = (of: { readonly platform: string; readonly client: TestClient }) => {
  const { platform, client } = of;
  const isPublic = client.client_secret === '';
  const id: Fields = isPublic ? { client_id: client.client_id } : {};
  const headers: Fields = isPublic ? {} : { authorization: basic(client) };
  const at = (api: Api, path: string): string => `${api.url}/${platform}${path}`;
  const ask = (api: Api, path: string, fields: Fields): Promise<Answer> => post(at(api, path), { ...id, ...fields }, headers);

  return {
    at,
    ask,
    begin: async (api: Api, fields: Fields = {}): Promise<Begun> => {
      const { status, body } = await ask(api, '/oauth/device_authorization', fields);
      if (status !== 200) throw new Error(`nothing began: ${JSON.stringify(body)}`);
      return {
        deviceCode: String(body['device_code']),
        userCode: String(body['user_code']),
        link: String(body['verification_uri_complete']).split('/').at(-1) ?? '',
      };
    },
    poll: (api: Api, deviceCode: string, fields: Fields = {}) =>
      ask(api, '/oauth/token', { grant_type: deviceCodeGrant, device_code: deviceCode, ...fields }),
    refresh: (api: Api, token: string) => ask(api, '/oauth/token', { grant_type: 'refresh_token', refresh_token: token }),
    introspect: (api: Api, token: string) => ask(api, '/oauth/introspect', { token }),
    revoke: (api: Api, token: string) => ask(api, '/oauth/revoke', { token }),
  };
};

export type TestDevice = ReturnType<typeof createDevice>;
