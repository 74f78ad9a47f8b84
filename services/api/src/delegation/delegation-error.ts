import { type DelegationRefusal, delegationLimit } from '@grantlog/domain';
import { OAuthError } from '@grantlog/protocol';

/** Why a token is not passed on, as its bearer reads it (RFC 8693 §2.2.2). */
export const delegationError = (refused: DelegationRefusal): OAuthError => {
  switch (refused.refusal) {
    case 'nobody_behind_it':
      return new OAuthError('invalid_request', {
        description: 'subject_token has no person behind it: a client that acts for itself asks with client_credentials',
      });
    case 'chain_too_long':
      return new OAuthError('invalid_request', {
        description: `No more than ${delegationLimit} clients may act one after another on what a person allowed`,
      });
    case 'scope_not_held':
      return new OAuthError('invalid_scope', { description: `${refused.scope} is not among the scopes of the subject_token` });
    case 'scope_not_delegable':
      return new OAuthError('invalid_scope', { description: `${refused.scope} cannot be passed on to this client` });
    case 'no_scope_left':
      return new OAuthError('invalid_scope', { description: 'No scope of the subject_token can be passed on to this client' });
    case 'resource_not_granted':
      return new OAuthError('invalid_target', {
        description: 'resource and audience must name resources that the grant of the subject_token is for',
      });
  }
};
