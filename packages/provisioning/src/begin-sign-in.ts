import type { AccountId, SignInId } from '@grantlog/domain';
import { signInDecider } from '@grantlog/domain';
import type { Loaded, NewEvent, StreamId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { amrOf, type SecondFactorProof } from './second-factor-proof.ts';

/** A sign-in that is about to begin. */
export type NewSignIn = {
  readonly id: SignInId;
  /** Who signs in from where, sealed for the first event of the stream; absent where the account has no data key any more. */
  readonly personal?: Uint8Array;
};

/** What the stream of a new sign-in records, for the commit that spends its proof. @param of.proof null for the password alone. */
export const beginSignIn = (
  loaded: Loaded,
  of: { readonly account: AccountId; readonly signIn: NewSignIn; readonly proof: SecondFactorProof | null },
): { readonly streamId: StreamId; readonly events: readonly NewEvent[] } => {
  const { id, ...sealed } = of.signIn;
  const command = { type: 'succeed', account: of.account, method: 'password', amr: amrOf(of.proof) } as const;
  const { events } = signInDecider.decide(command, fold(signInDecider, loaded.stream(id)));
  return { streamId: id, events: events.map((event) => ({ ...event, ...sealed })) };
};
