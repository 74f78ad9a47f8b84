import type { AccountId, ClaimsRequest, ClientStreamId, GrantId, GrantState, NameEvent, NameId } from '@grantlog/domain';
import { nameDecider } from '@grantlog/domain';
import type { Loaded } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { PlatformNames } from './platform-directory.ts';

/** Everything that a decision at an authorization endpoint was about. */
export type Decided = {
  readonly account: AccountId;
  readonly client: ClientStreamId;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly claims: ClaimsRequest | null;
};

/** Where it stands whether exactly this has been allowed: whatever differs, differs in its name. */
export const consentMemory = (names: PlatformNames, { claims, ...decided }: Decided): NameId =>
  names.consent({
    ...decided,
    claims:
      claims === null
        ? []
        : [...claims.idToken.map((claim) => `id_token ${claim}`), ...claims.userinfo.map((claim) => `userinfo ${claim}`)],
  });

/** Where the consent to a grant is remembered; null for a grant that has ended, or that nobody decided about at an authorization endpoint. */
export const memoryOfGrant = (names: PlatformNames, grant: GrantState): NameId | null => {
  if (grant.status !== 'authorized' && grant.status !== 'active') return null;
  const { flow, account, client, scopes, resources, claims = null } = grant.terms;
  const redirectUri = grant.code?.redirectUri ?? null;
  if (flow !== 'authorization_code' || account === null || redirectUri === null) return null;
  return consentMemory(names, { account, client, redirectUri, scopes, resources, claims });
};

type Write = { readonly streamId: NameId; readonly events: readonly NameEvent[] };

/** The grant that a memory is owned by; null where nothing is remembered. Whether that grant lives is another question. */
export const ownerOfMemory = (loaded: Loaded, memory: NameId): GrantId | null => {
  const name = fold(nameDecider, loaded.stream(memory));
  // Only grants are given names of this kind.
  return name.status === 'claimed' ? (name.owner as GrantId) : null;
};

/** Forgets a consent, whichever grant it is remembered by: whoever takes it back is asked again. */
export const forgetConsent = (loaded: Loaded, memory: NameId): Write => {
  const owner = ownerOfMemory(loaded, memory);
  const name = fold(nameDecider, loaded.stream(memory));
  return { streamId: memory, events: owner === null ? [] : nameDecider.decide({ type: 'release', owner }, name).events };
};

/** Remembers a consent by a grant, in place of whichever grant it was remembered by. */
export const rememberConsent = (loaded: Loaded, memory: NameId, grant: GrantId): Write => {
  const { events } = nameDecider.decide({ type: 'claim', kind: 'consent', owner: grant }, nameDecider.initial);
  return { streamId: memory, events: [...forgetConsent(loaded, memory).events, ...events] };
};
