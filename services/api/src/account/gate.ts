import type { PlatformNames } from '@grantlog/provisioning';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AuthenticatedAccount, authenticateAccount } from '../access/authenticate-account.ts';
import type { ExplorationNotice } from '../access/exploration.ts';
import type { Deps } from '../deps.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

/** Headers want a quoted-string in ASCII. */
const quoted = (text: string): string => `"${text.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')}"`;

/** What an answer to HTTP Basic says of its end (RFC 8594) and of what is left today. Clients in the field show `Warning`. */
const explorationHeaders = ({ message, sunset, limit, remaining, reset, documentation }: ExplorationNotice) => ({
  sunset: new Date(sunset * 1000).toUTCString(),
  warning: `299 - ${quoted(message)}`,
  'ratelimit-policy': `"exploration";q=${limit};w=86400`,
  ratelimit: `"exploration";r=${remaining};t=${reset}`,
  ...(documentation === null ? {} : { link: `<${documentation}>; rel="sunset"` }),
});

/** An account that was let in, and the names of its platform. */
export type AccountPassage = AuthenticatedAccount & { readonly names: PlatformNames };

/** Where accounts are let in to what is their own: before the body is read, and before anything is said about what was asked. */
export type AccountGate = ReturnType<typeof createAccountGate>;

export const createAccountGate = (deps: Deps) => {
  const passages = new WeakMap<FastifyRequest, AccountPassage>();
  return {
    ofAccount: {
      config: { authentication: 'account', errors: 'problem' } as const,
      onRequest: async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
        const names = await resolvePlatform(deps, request);
        const authenticated = await authenticateAccount(deps, request, names, 'account');
        if (authenticated.how === 'basic') void reply.headers(explorationHeaders(authenticated.notice));
        passages.set(request, { ...authenticated, names });
      },
    },
    /** Who came in. Fails where nobody asked at the door. */
    passed: (request: FastifyRequest): AccountPassage => {
      const passage = passages.get(request);
      if (passage === undefined) throw new Error('a route of the account API does not ask for its account');
      return passage;
    },
  };
};
