import { uuidv7 } from '@grantlog/crypto';
import type { AccountState, SignInFailure, SignInId } from '@grantlog/domain';
import { nameDecider, signInDecider, signInStanding } from '@grantlog/domain';
import type { Random } from '../../recovery/log/random.ts';
import { type Request, requestOf } from './recorder.ts';
import { openStream } from './stream.ts';
import type { Person, SignInStream, World } from './world.ts';

/** A person who is signed in, and the request in which they act. */
export type Visit = { readonly person: Person; readonly id: SignInId; readonly signIn: SignInStream; readonly request: Request };

const agents = [
  'Mozilla/5.0 (X11; Linux x86_64)',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)',
];

const begin = (world: World, random: Random, person: Person) => {
  const id = uuidv7(Date.now()) as SignInId;
  const address = `198.51.100.${random.below(256)}`;
  const personal = person.sealed({ address, userAgent: random.pick(agents) });
  world.made.signIns.push(id);
  return { id, signIn: openStream(signInDecider, id), personal };
};

/** Why nobody is let in whose password was right. */
const shutOut = (world: World, account: AccountState): SignInFailure | null => {
  if (world.own.state().status !== 'active') return 'platform_suspended';
  return account.status === 'active' ? null : 'account_disabled';
};

const fail = async (world: World, random: Random, person: Person, reason: () => SignInFailure): Promise<void> => {
  const { signIn, personal } = begin(world, random, person);
  await world.record(requestOf({ kind: 'system', id: 'sign-in' }), () => {
    const { write, refusal } = signIn.decide({ type: 'fail', account: person.id, reason: reason(), via: 'form' }, personal);
    return { writes: [write], reads: [], refusal };
  });
};

/** Somebody signs in, perhaps after a mistake; null where they are not let in. A code of the second factor is spent with it. */
export const signIn = async (world: World, random: Random, person: Person): Promise<Visit | null> => {
  if (random.happens(0.1)) await fail(world, random, person, () => 'wrong_password');
  const closed = shutOut(world, person.stream.state());
  if (closed !== null) {
    await fail(world, random, person, () => closed);
    return null;
  }
  const begun = begin(world, random, person);
  const request = requestOf({ kind: 'account', id: person.id });
  // A one-time code is of a time step: here of one that nobody has used.
  const step = openStream(nameDecider, world.names.totpStep(person.id, Math.floor(Date.now() / 30_000) + random.below(1_000_000)));
  const { commitId } = await world.record(request, () => {
    const account = person.stream.state();
    const hasSecond = account.status === 'active' && account.factors.length > 0;
    const spent = hasSecond ? [step.decide({ type: 'claim', kind: 'totp_step', owner: person.id }).write] : [];
    const amr = hasSecond ? ['pwd', 'otp', 'mfa'] : ['pwd'];
    if (shutOut(world, account) !== null) return { writes: [], reads: [] };
    const { write, refusal } = begun.signIn.decide({ type: 'succeed', account: person.id, method: 'password', amr }, begun.personal);
    return { writes: [write, ...spent], reads: [world.own, person.stream], refusal };
  });
  return commitId === null ? null : { person, id: begun.id, signIn: begun.signIn, request };
};

/** Whether the person may still act by it. */
export const isSignedIn = (world: World, { signIn: { state }, person }: Visit): boolean =>
  signInStanding({ signIn: state(), platform: world.own.state(), account: person.stream.state(), now: Date.now() }) === 'good';

export const endSignIn = async (world: World, random: Random, visit: Visit): Promise<void> => {
  const reason = random.pick(['signed_out', 'expired', 'replaced'] as const);
  await world.record(requestOf(visit.request.actor), () => {
    const { write, refusal } = visit.signIn.decide({ type: 'end', reason });
    return { writes: [write], reads: [], refusal };
  });
};
