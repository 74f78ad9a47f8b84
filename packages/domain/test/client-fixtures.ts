import type { ClientEvent, ClientRegistration } from '../src/client/events.ts';
import type { ClientId } from '../src/ids.ts';

export const registration: ClientRegistration = {
  clientId: 'robot' as ClientId,
  kind: 'confidential',
  how: 'portal',
  name: 'Robot',
  redirectUris: ['https://robot.example/cb'],
  grantTypes: ['authorization_code', 'refresh_token'],
  scopes: null,
  authMethods: ['client_secret_basic', 'client_secret_post'],
  idTokenAlg: null,
  secretCredential: 's1',
  approval: 'approved',
  serves: [],
  roles: [],
  tokenNonce: null,
};
export const publicOne: ClientRegistration = { ...registration, kind: 'public', authMethods: ['none'], secretCredential: null };
export const registered: ClientEvent = { type: 'client.registered', data: registration };
export const pending: ClientEvent = { type: 'client.registered', data: { ...registration, approval: 'pending' } };
export const disabled: ClientEvent = { type: 'client.disabled', data: { reason: 'abuse' } };
export const deleted: ClientEvent = { type: 'client.deleted', data: {} };
export const approved: ClientEvent = { type: 'client.approved', data: {} };
export const rejected: ClientEvent = { type: 'client.rejected', data: { reason: 'no privacy policy' } };
export const rotated = (credentialId: string, previousValidUntil: number): ClientEvent => ({
  type: 'client.secret_rotated',
  data: { credentialId, previousValidUntil },
});
