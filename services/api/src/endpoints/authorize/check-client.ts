import type { ClientDeletion, ClientRecord, ClientState } from '@grantlog/domain';
import { OAuthError } from '@grantlog/protocol';
import { ExplainedError } from '../../http/explained-error.ts';

const unapproved = {
  pending: 'The app that sent you here is waiting for the approval of an operator of this platform and cannot be used until then',
  rejected: 'The app that sent you here was refused by an operator of this platform and cannot be used',
} as const;

/** Apps keep a registration and, told here that it is gone, send people back with the same one: only a person can end that. */
const registerAnew: readonly string[] = [
  'In most apps: disconnect or remove this connection in the settings of the app, then add it again. The app then registers itself anew.',
  'In VS Code: run the command "Authentication: Remove Dynamic Authentication Providers", then connect again.',
  'With mcp-remote: delete the folder .mcp-auth in your home directory, then start the app again.',
];

const ended = (why: string, reason: string): OAuthError =>
  new ExplainedError('invalid_request', {
    title: 'This app is not registered here any more',
    description: why,
    waysOut: registerAnew,
    reason,
  });

const unknown = (): OAuthError =>
  new ExplainedError('invalid_request', {
    title: 'This app is not registered here',
    description: 'The app that sent you here uses a client_id that this platform does not know. Perhaps it was made for another server',
    waysOut: [...registerAnew, 'If you make the app: register it, and use the client_id of the answer with this platform alone.'],
    reason: 'the client is unknown',
  });

const endedBecause = {
  unused: 'Its registration ended because nobody had ever connected with it. Nothing of yours was lost',
  by_itself: 'The app itself has ended its registration, and with it what was connected',
} as const satisfies Record<ClientDeletion, string>;

/**
 * A client that may ask for authorizations.
 *
 * @throws OAuthError shown on a page: for an unknown client no redirect URI can be trusted (RFC 6749 §4.1.2.1). Who can do
 *   something about it reads what.
 */
export const checkClient = (state: ClientState): ClientRecord => {
  switch (state.status) {
    case 'none':
      throw unknown();
    case 'deleted': {
      const { reason, how } = state;
      if (reason !== null) throw ended(endedBecause[reason], `the client has ended: ${reason}`);
      if (how === 'dynamic') throw ended('The operator of this platform has deleted its registration', 'the client was deleted');
      throw new ExplainedError('invalid_request', {
        title: 'This app is not registered here any more',
        description: 'The app that sent you here was deleted by its developer or by the operator of this platform',
        waysOut: ['Ask whoever makes the app: it needs a new client_id.'],
        reason: 'the client was deleted',
      });
    }
    case 'disabled':
      throw new OAuthError('unauthorized_client', {
        description: 'The app that sent you here has been disabled by the operator of this platform',
      });
    case 'active':
      if (state.approval === 'approved') return state;
      throw new OAuthError('unauthorized_client', { description: unapproved[state.approval] });
  }
};
