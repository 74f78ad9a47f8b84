import type { ClientStreamId, EndpointRecord, GrantId, WebhookEndpointState } from '@grantlog/domain';
import { webhookEndpointDecider } from '@grantlog/domain';

/**
 * Who manages webhook endpoints: operators every one of a platform, a client and a grant of a person those that they have
 * registered themselves. What others registered is not there for them.
 */
export type EndpointManager =
  | { readonly kind: 'operator' }
  | { readonly kind: 'client'; readonly client: ClientStreamId }
  /** The client that receives security events, for its streams of them and nothing else. */
  | { readonly kind: 'receiver'; readonly client: ClientStreamId }
  | { readonly kind: 'grant'; readonly client: ClientStreamId; readonly grant: GrantId };

/** Who registers webhook endpoints. */
export type WebhookManager = Exclude<EndpointManager, { readonly kind: 'receiver' }>;

const manages = (manager: EndpointManager, { registeredBy, client, grants, signals }: EndpointRecord): boolean => {
  switch (manager.kind) {
    case 'operator':
      return true;
    case 'client':
      return registeredBy === 'client' && client === manager.client && signals === null;
    case 'receiver':
      return signals?.receiver === manager.client;
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
