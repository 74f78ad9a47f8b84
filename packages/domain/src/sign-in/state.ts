import type { Placed } from '@grantlog/eventsourcing';
import type { AccountId } from '../ids.ts';
import type { SignInEvent, SignInMethod } from './events.ts';

export type SignInState =
  | { readonly status: 'none' }
  | {
      readonly status: 'active';
      readonly account: AccountId;
      readonly method: SignInMethod;
      readonly amr: readonly string[];
      /** When the person proved who they are; whole seconds since the epoch (OIDC `auth_time`). */
      readonly authTime: number;
      readonly firstPosition: number;
    }
  | { readonly status: 'failed'; readonly account: AccountId | null; readonly firstPosition: number }
  | { readonly status: 'ended'; readonly account: AccountId; readonly authTime: number; readonly firstPosition: number };

export const noSignIn: SignInState = { status: 'none' };

export const evolveSignIn = (state: SignInState, event: Placed<SignInEvent>): SignInState => {
  switch (event.type) {
    case 'sign_in.succeeded': {
      if (state.status !== 'none') return state;
      const { account, method, amr } = event.data;
      const authTime = Math.floor(event.recordedAt / 1000);
      return { status: 'active', account, method, amr, authTime, firstPosition: event.position };
    }
    case 'sign_in.failed':
      return state.status === 'none' ? { status: 'failed', account: event.data.account, firstPosition: event.position } : state;
    case 'sign_in.ended': {
      if (state.status !== 'active') return state;
      const { account, authTime, firstPosition } = state;
      return { status: 'ended', account, authTime, firstPosition };
    }
  }
};
