import type { PlatformId } from '@grantlog/eventsourcing';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';

type CookieName = 'browser' | 'sign-in' | 'known';

const isSecure = ({ config }: Pick<Deps, 'config'>): boolean => config.publicUrl.startsWith('https:');

// `__Host-` binds a cookie to this very host over https; a loopback server on http can have neither.
const cookieName = (deps: Pick<Deps, 'config'>, platform: PlatformId, name: CookieName): string =>
  `${isSecure(deps) ? '__Host-' : ''}grantlog-${platform}-${name}`;

export const readCookie = (
  deps: Pick<Deps, 'config'>,
  request: FastifyRequest,
  platform: PlatformId,
  name: CookieName,
): string | undefined => request.cookies[cookieName(deps, platform, name)];

export const setCookie = (
  deps: Pick<Deps, 'config'>,
  reply: FastifyReply,
  cookie: { readonly platform: PlatformId; readonly name: CookieName; readonly value: string; readonly maxAge: number },
): void => {
  void reply.setCookie(cookieName(deps, cookie.platform, cookie.name), cookie.value, {
    path: '/',
    httpOnly: true,
    secure: isSecure(deps),
    // Lax: a client sends the browser here by a top-level navigation, and the sign-in must come along.
    sameSite: 'lax',
    maxAge: cookie.maxAge,
  });
};
