import { type Decider, type Decision, record, refuse } from '@grantlog/eventsourcing';
import type { AccountId } from '../ids.ts';
import type { SignInEnd, SignInEvent, SignInFailure, SignInMethod, SignInVia } from './events.ts';
import { evolveSignIn, noSignIn, type SignInState } from './state.ts';

export type SignInCommand =
  | { readonly type: 'succeed'; readonly account: AccountId; readonly method: SignInMethod; readonly amr: readonly string[] }
  | { readonly type: 'fail'; readonly account: AccountId | null; readonly reason: SignInFailure; readonly via: SignInVia }
  | { readonly type: 'end'; readonly reason: SignInEnd };

export type SignInRefusal = 'already_decided' | 'not_signed_in';

const decide = (command: SignInCommand, state: SignInState): Decision<SignInEvent, SignInRefusal> => {
  switch (command.type) {
    case 'succeed': {
      if (state.status !== 'none') return refuse('already_decided');
      const { account, method, amr } = command;
      return record({ type: 'sign_in.succeeded', data: { account, method, amr } });
    }
    case 'fail': {
      if (state.status !== 'none') return refuse('already_decided');
      return record({ type: 'sign_in.failed', data: { account: command.account, reason: command.reason, via: command.via } });
    }
    case 'end':
      switch (state.status) {
        case 'active':
          return record({ type: 'sign_in.ended', data: { reason: command.reason } });
        case 'ended':
          return record();
        case 'none':
        case 'failed':
          return refuse('not_signed_in');
      }
  }
};

/** One browser's sign-in, from the proof of who it is to its end. Its stream id is a UUIDv7. */
export const signInDecider: Decider<SignInState, SignInCommand, SignInEvent, SignInRefusal> = {
  initial: noSignIn,
  decide,
  evolve: evolveSignIn,
};
