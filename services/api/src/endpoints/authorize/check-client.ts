import type { ClientRecord, ClientState } from '@grantlog/domain';
import { OAuthError } from '@grantlog/protocol';

const unapproved = {
  pending: 'The app that sent you here is waiting for the approval of an operator of this platform and cannot be used until then',
  rejected: 'The app that sent you here was refused by an operator of this platform and cannot be used',
} as const;

/**
 * A client that may ask for authorizations.
 *
 * @throws OAuthError shown on a page: for an unknown client no redirect URI can be trusted (RFC 6749 §4.1.2.1).
 */
export const checkClient = (state: ClientState): ClientRecord => {
  switch (state.status) {
    case 'none':
    case 'deleted':
      throw new OAuthError('invalid_request', { description: 'The app that sent you here is not registered (client_id is unknown)' });
    case 'disabled':
      throw new OAuthError('unauthorized_client', {
        description: 'The app that sent you here has been disabled by the operator of this platform',
      });
    case 'active':
      if (state.approval === 'approved') return state;
      throw new OAuthError('unauthorized_client', { description: unapproved[state.approval] });
  }
};
