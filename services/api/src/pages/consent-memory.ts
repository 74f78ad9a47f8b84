import type { AccountId, ClientRecord, GrantId, GrantState, NameId, PlatformDocument } from '@grantlog/domain';
import { endOfUse } from '@grantlog/domain';
import type { Loaded } from '@grantlog/eventsourcing';
import { parseRedirectUri } from '@grantlog/protocol';
import { consentMemory, ownerOfMemory, type PlatformNames, rememberConsent } from '@grantlog/provisioning';
import { grantStanding } from '../platforms/grant-standing.ts';
import { isVerified } from '../platforms/is-verified.ts';
import { foldGrant } from '../platforms/load-parties.ts';
import type { AuthorizationRequest } from './authorization-request.ts';

/**
 * Where it is remembered whether an account has allowed exactly this request. Null for answers that go to an app on a device:
 * any program there can ask in the name of any other, so a person is always asked (RFC 8252 §8.6, RFC 6819 §5.2.3.2).
 */
export const memoryOf = (names: PlatformNames, account: AccountId, request: AuthorizationRequest): NameId | null => {
  const { redirectUri, scopes, resources, claims } = request;
  if (parseRedirectUri(redirectUri).kind !== 'https') return null;
  return consentMemory(names, { account, client: names.client(request.clientId), redirectUri, scopes, resources, claims });
};

/** Whether what people allow this client is remembered: the platform wants it, and somebody vouches for who the client is. */
export const isRemembered = ({ document, client }: { readonly document: PlatformDocument; readonly client: ClientRecord }): boolean =>
  document.consent.remember && isVerified(document, client);

type Living = Extract<GrantState, { status: 'authorized' | 'active' }>;

/**
 * The grant that still stands for what was allowed, null where nothing does: it has ended, run out, or was ended with its client,
 * account or platform. The load holds the memory and `owner`, and what that grant names.
 *
 * @param of.owner who owned the memory when the load was asked for; another by now counts as nobody.
 */
export const recall = (loaded: Loaded, of: { readonly memory: NameId; readonly owner: GrantId }): Living | null => {
  if (ownerOfMemory(loaded, of.memory) !== of.owner) return null;
  const grant = foldGrant(loaded, of.owner);
  if (grant.status !== 'authorized' && grant.status !== 'active') return null;
  return grantStanding(loaded, grant) === 'good' && loaded.now < endOfUse(grant) * 1000 ? grant : null;
};

/** Whether less than half of a grant in use is left. A code that was not redeemed has yet to come into use. */
const nearsItsEnd = (grant: Living, now: number): boolean =>
  grant.status === 'active' && endOfUse(grant) * 1000 - now < (endOfUse(grant) * 1000 - grant.current.issuedAt) / 2;

/**
 * Hands a memory on to the grant that it has opened, where the present owner nears its end: an app that renews what it has
 * without asking goes on as long as it does so in time. Otherwise nothing is written, so parallel requests do not hold up each other.
 */
export const handOn = (loaded: Loaded, of: { readonly memory: NameId; readonly living: Living; readonly to: GrantId }) =>
  nearsItsEnd(of.living, loaded.now) ? [rememberConsent(loaded, of.memory, of.to)] : [];
