import type { ClientStreamId, EndpointRecord, GrantId, WebhookEndpointState } from '@grantlog/domain';
import { webhookEndpointDecider } from '@grantlog/domain';

/**
 * Who manages webhook endpoints: operators every one of a platform, a client and a grant of a person those that they have
 * registered themselves. What others registered is not there for them.
 */
export type EndpointManager =
  | { readonly kind: 'operator' }
  | { readonly kind: 'client'; readonly client: ClientStreamId }
  | { readonly kind: 'grant'; readonly client: ClientStreamId; readonly grant: GrantId };

const manages = (manager: EndpointManager, { registeredBy, client, grants }: EndpointRecord): boolean => {
  switch (manager.kind) {
    case 'operator':
      return true;
    case 'client':
      return registeredBy === 'client' && client === manager.client;
    case 'grant':
      return registeredBy === 'grant' && grants?.length === 1 && grants[0] === manager.grant;
  }
};

/** An endpoint as its manager may see it. Whose it is never changes; of a deleted one only operators are told that it was. */
export const seenBy = (manager: EndpointManager, state: WebhookEndpointState): WebhookEndpointState => {
  switch (state.status) {
    case 'none':
      return state;
    case 'deleted':
      return manager.kind === 'operator' ? state : webhookEndpointDecider.initial;
    case 'active':
    case 'disabled':
      return manages(manager, state) ? state : webhookEndpointDecider.initial;
  }
};
