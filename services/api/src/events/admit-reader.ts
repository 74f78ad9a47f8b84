import { systemPlatform } from '@grantlog/domain';
import type { FeedAudience } from '@grantlog/postgres';
import { bearerChallenge, bearerError, OAuthError, ProblemError, sameResource } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import { type LiveToken, resolveAccess } from '../access/resolve-access.ts';
import { resolveShown } from '../access/resolve-shown.ts';
import { dpopOf, readShownToken, type ShownToken } from '../access/shown-token.ts';
import type { Deps } from '../deps.ts';
import { mayManage, operatorOf, roleNeededFor } from '../management/operator.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

type Refusal = OAuthError | ProblemError;

/** Who reads events, and which. */
export type Reader = {
  readonly names: PlatformNames;
  readonly audience: FeedAudience;
  /** Whose requests are counted together. */
  readonly caller: string;
  /**
   * Why the token would let nobody in any more, by the log at this instant; null where it would. For who waits: the proof of
   * its key was shown once and is not asked for again.
   */
  readonly judgeAgain: () => Promise<Refusal | null>;
};

type Admitted = Pick<Reader, 'audience' | 'caller'>;
type Judge = (live: LiveToken) => Admitted;
type Place = Pick<Deps, 'config'> & { readonly names: PlatformNames; readonly shown: Pick<ShownToken, 'scheme'> };

// A token bound to another resource was given to that resource, which could bring it here (RFC 8707 §2). The MCP server of
// the platform is this server: what agents get for it is good here, too.
const isForHere = ({ token: { resource }, issuer, document: { mcpServer } }: LiveToken): boolean =>
  resource === null || sameResource(resource, issuer) || (mcpServer !== null && sameResource(resource, mcpServer.resource));

/** What a token of the platform itself lets its bearer read: what concerns its client, its session, or its grant. */
const ownEvents =
  ({ names, shown }: Place): Judge =>
  (live) => {
    const realm = names.platform;
    const dpop = dpopOf(shown);
    const description = 'The access token is invalid, expired or revoked';
    if (live.kind !== 'access') throw bearerError({ code: 'invalid_token', description, reason: 'it is a refresh token', realm, dpop });
    if (!isForHere(live)) {
      const elsewhere = `The access token is for another resource: ask for one with resource=${live.issuer}`;
      throw bearerError({ code: 'invalid_token', description: elsewhere, reason: 'it is for another resource', realm, dpop });
    }
    const { flow, client, account, session } = live.grant.terms;
    if (flow === 'client_credentials' && account === null) return { audience: { kind: 'reader', id: client }, caller: client };
    // Whoever may read of a session may read of the grant that came from it.
    if (session !== null) return { audience: { kind: 'reader', id: session }, caller: session };
    return { audience: { kind: 'about', id: live.grantId as typeof client }, caller: live.grantId };
  };

/** What a token of the system platform lets its bearer read: everything of a platform that its roles reach. */
const wholePlatform =
  ({ names, config, shown }: Place): Judge =>
  (live) => {
    const operator = operatorOf(live, { publicUrl: config.publicUrl, dpop: dpopOf(shown) });
    if (!mayManage(operator, names.platform)) throw roleNeededFor(names.platform);
    return { audience: { kind: 'platform' }, caller: operator.id };
  };

const isRefusal = (error: unknown): error is Refusal => error instanceof OAuthError || error instanceof ProblemError;

/** On the system platform itself, whoever does not manage it reads what is theirs. */
const eitherOf =
  (first: Judge, second: Judge): Judge =>
  (live) => {
    try {
      return first(live);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return second(live);
    }
  };

/**
 * Lets in who may read events of a platform, by an access token of that platform or of the system platform. Which it is, is
 * seen by who issued it; a token that neither did is refused as the platform's own.
 *
 * @throws UnknownPlatformRequested
 * @throws OAuthError 401 with a challenge, 403 for an operator's token without the scope `manage`
 * @throws ProblemError 403 that names the role an operator lacks
 */
export const admitReader = async (deps: Deps, request: FastifyRequest): Promise<Reader> => {
  const names = await resolvePlatform(deps, request);
  const realm = names.platform;
  const shown = readShownToken(deps, request);
  if (shown === null) {
    throw new OAuthError('invalid_request', {
      status: 401,
      description: 'An access token of this platform, or of an operator, is required in the Authorization header',
      headers: { 'www-authenticate': bearerChallenge({ realm }) },
    });
  }
  const place: Place = { config: deps.config, names, shown };
  const enter = (issuer: PlatformNames, live: LiveToken, judge: Judge): Reader => {
    const admitted = judge(live);
    const { jkt } = live.grant.current;
    const judgeAgain = async (): Promise<Refusal | null> => {
      const { live: still, expired, reason } = await resolveAccess(deps, issuer, shown.token);
      const code = expired ? 'expired_token' : 'invalid_token';
      const dead = (why: string) =>
        bearerError({ code, description: 'The access token has expired or was revoked', reason: why, realm, dpop: dpopOf(shown) });
      if (still === null) return dead(reason);
      if (still.grant.current.jkt !== jkt) return dead('it was bound to another key since');
      try {
        const { audience } = judge(still);
        return audience.kind === admitted.audience.kind ? null : dead('it opens something else since');
      } catch (error) {
        if (isRefusal(error)) return error;
        throw error;
      }
    };
    return { names, ...admitted, judgeAgain };
  };

  const own = await resolveShown(deps, names, shown);
  if (own.live !== null) {
    const judge = realm === systemPlatform ? eitherOf(wholePlatform(place), ownEvents(place)) : ownEvents(place);
    const reader = enter(names, own.live, judge);
    deps.traces.noteUse({ platform: realm, grant: own.live.grantId, client: own.live.grant.terms.clientId, request: request.id });
    return reader;
  }
  // It is the platform's own, and only shown wrongly.
  const refused = bearerError({ ...own.refusal, realm });
  if (own.refusal.isLive || realm === systemPlatform) throw refused;
  const system = await deps.directory.open(systemPlatform);
  if (system === null) throw refused;
  const ofSystem = await resolveShown(deps, system, shown);
  if (ofSystem.live !== null) return enter(system, ofSystem.live, wholePlatform(place));
  throw ofSystem.refusal.isLive ? bearerError({ ...ofSystem.refusal, realm: systemPlatform }) : refused;
};
