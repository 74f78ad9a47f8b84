import type { PlatformId } from '@grantlog/eventsourcing';
import type { Deps } from '../deps.ts';
import { openDecision, sealDecision } from './authorization-request.ts';
import { openSession, sealSession } from './connect-seal.ts';
import type { Destination } from './second-step-seal.ts';

/** What a person decides once they are signed in: an app's authorization request, or an agent's session. */
export type Waiting = Extract<Destination, { readonly kind: 'decision' | 'session' }>;

export const sealWaiting = (deps: Pick<Deps, 'sealer'>, platform: PlatformId, waiting: Waiting): string => {
  switch (waiting.kind) {
    case 'decision':
      return sealDecision(deps, platform, waiting.pending);
    case 'session':
      return sealSession(deps, platform, waiting.pending);
  }
};

/** What the form of a sign-in or a sign-up carries on, or null when it is not ours, not this browser's or too old. */
export const openWaiting = (
  deps: Pick<Deps, 'sealer'>,
  platform: PlatformId,
  form: { readonly sealed: string | undefined; readonly browserId: string; readonly now: number },
): Waiting | null => {
  // Each kind is sealed for a purpose of its own, so neither opens as the other.
  const decision = openDecision(deps, platform, form);
  if (decision !== null) return { kind: 'decision', pending: decision };
  const session = openSession(deps, platform, form);
  return session === null ? null : { kind: 'session', pending: session };
};

/** The client whose request waits. */
export const clientIdOf = ({ kind, pending }: Waiting): string => (kind === 'decision' ? pending.request.clientId : pending.clientId);
