import { createDataKey, sealPersonal, standingId } from '@grantlog/crypto';
import type { AccountId, AccountState, NameId, NameState } from '@grantlog/domain';
import { accountDecider, nameDecider, standingKinds } from '@grantlog/domain';
import type { Loaded, LoadRequest, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertDataKey } from '@grantlog/postgres';
import { sealDataKey } from './personal-data.ts';
import { canonicalEmail, type PlatformNames } from './platform-directory.ts';
import type { Provisioning } from './provisioning.ts';
import { isAcceptableEmail } from './register-account.ts';

/** A person as an identity provider names them, its word proved. */
export type ExternalPerson = {
  readonly issuer: string;
  /** Whatever tells the issuer's people apart, in one spelling. */
  readonly subject: string;
  /** Only where the issuer speaks for the mailbox; null for any other, and for none. */
  readonly email: string | null;
  readonly displayName: string | null;
  /** Whether somebody without an account gets one. */
  readonly mayCreate: boolean;
};

/** `no_email`: they would get an account, but the assertion has no email that its issuer speaks for. */
export type ExternalRefusal =
  | 'no_account'
  | 'no_email'
  | 'email_unverified'
  | 'integration_account'
  | 'too_many_subjects'
  | 'issuer_linked'
  | 'changed_meanwhile';

/** The account that stands for a person, and what has to be committed so that it does. */
export type LinkedPerson = {
  readonly account: AccountId;
  /** As it stood before; null for one that comes to be with this commit. */
  readonly state: AccountState | null;
  readonly writes: readonly { readonly streamId: StreamId; readonly events: readonly NewEvent[] }[];
  readonly reads: readonly StreamId[];
};

export type PreparedPerson = {
  readonly requests: readonly LoadRequest[];
  /** May be asked several times. Decides only about the accounts that held the names before: `changed_meanwhile` otherwise. */
  readonly decide: (loaded: Loaded) => LinkedPerson | { readonly refusal: ExternalRefusal };
};

type NewAccount = { readonly id: AccountId; readonly emailName: NameId; readonly personal: Uint8Array };

const ownerOf = (name: NameState): AccountId | null => (name.status === 'claimed' ? (name.owner as AccountId) : null);

const prepareAccount = async (
  context: Pick<Provisioning, 'pool' | 'sealer'>,
  names: PlatformNames,
  { email, displayName }: { readonly email: string; readonly displayName: string | null },
): Promise<NewAccount> => {
  const { platform } = names;
  const id = standingId(standingKinds.account) as AccountId;
  const dataKey = createDataKey();
  await insertDataKey(context.pool, { platform, subject: id, sealed: sealDataKey(context.sealer, { platform, subject: id, dataKey }) });
  const fields = { email, name: displayName ?? email };
  return { id, emailName: names.email(email), personal: sealPersonal({ dataKey, platform, streamId: id, version: 1, fields }) };
};

type Link = { readonly issuer: string; readonly subjectName: NameId };

const registration = (loaded: Loaded, created: NewAccount, { issuer, subjectName }: Link): readonly NewEvent[] => {
  const { events, refusal } = accountDecider.decide(
    { type: 'register', emailName: created.emailName, kind: 'person', emailVerified: true },
    fold(accountDecider, loaded.stream(created.id)),
  );
  if (refusal !== undefined) throw new Error(`a new account was refused with ${refusal}`);
  return [
    ...events.map((event) => ({ ...event, personal: created.personal })),
    { type: 'account.subject_linked', data: { issuer, subjectName } },
  ];
};

const claim = (streamId: NameId, kind: 'email' | 'external_subject', owner: AccountId) => ({
  streamId,
  events: [{ type: 'name.claimed', data: { kind, owner } }],
});

/**
 * Prepares the question which account stands for a person of an identity provider: the one that was linked to them before,
 * else the one with their email, else a new one, without a password. An account with their email is taken only where its own
 * mailbox has answered, for somebody else may have been given that email before they came; and where it stands for nobody else
 * of their provider, for emails are given to others once somebody has left.
 */
export const prepareExternalPerson = async (
  context: Pick<Provisioning, 'log' | 'pool' | 'sealer'>,
  names: PlatformNames,
  person: ExternalPerson,
): Promise<PreparedPerson> => {
  const platform: PlatformId = names.platform;
  const { issuer } = person;
  const subjectName = names.externalSubject(issuer, person.subject);
  const email = person.email !== null && isAcceptableEmail(person.email) ? canonicalEmail(person.email) : null;
  const emailName = email === null ? null : names.email(email);
  const named: readonly NameId[] = [subjectName, ...(emailName === null ? [] : [emailName])];
  const before = await context.log.load(
    platform,
    named.map((streamId) => ({ streamId })),
  );
  const owners = new Set(named.flatMap((name) => ownerOf(fold(nameDecider, before.stream(name))) ?? []));
  const created =
    email !== null && person.mayCreate && owners.size === 0 ? await prepareAccount(context, names, { ...person, email }) : null;

  type Decided = LinkedPerson | { readonly refusal: ExternalRefusal };

  const link = (loaded: Loaded, account: AccountId): Decided => {
    const state = fold(accountDecider, loaded.stream(account));
    if ((state.status === 'active' || state.status === 'disabled') && !state.emailVerified) return { refusal: 'email_unverified' };
    const { events, refusal } = accountDecider.decide({ type: 'linkSubject', issuer, subjectName }, state);
    if (refusal === 'integration_account' || refusal === 'too_many_subjects' || refusal === 'issuer_linked') return { refusal };
    if (refusal !== undefined) return { refusal: 'no_account' };
    const writes = [{ streamId: account, events }, claim(subjectName, 'external_subject', account)];
    return { account, state, writes, reads: emailName === null ? [] : [emailName] };
  };

  const create = (loaded: Loaded): Decided => {
    if (!person.mayCreate) return { refusal: 'no_account' };
    if (emailName === null) return { refusal: 'no_email' };
    if (created === null) return { refusal: 'changed_meanwhile' };
    const { id } = created;
    const writes = [
      { streamId: id, events: registration(loaded, created, { issuer, subjectName }) },
      claim(emailName, 'email', id),
      claim(subjectName, 'external_subject', id),
    ];
    return { account: id, state: null, writes, reads: [] };
  };

  return {
    requests: [...named, ...owners, ...(created === null ? [] : [created.id])].map((streamId) => ({ streamId })),
    decide: (loaded) => {
      const linked = ownerOf(fold(nameDecider, loaded.stream(subjectName)));
      const mailed = emailName === null ? null : ownerOf(fold(nameDecider, loaded.stream(emailName)));
      const account = linked ?? mailed;
      if (account === null) return create(loaded);
      if (!owners.has(account)) return { refusal: 'changed_meanwhile' };
      if (linked === null) return link(loaded, account);
      return { account, state: fold(accountDecider, loaded.stream(account)), writes: [], reads: [subjectName, account] };
    },
  };
};
