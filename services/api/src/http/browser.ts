import { randomToken } from '@grantlog/crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { readCookie, setCookie } from './cookies.ts';

/** A form came without the token of its own page, or from another origin. */
export class ForgedForm extends Error {
  override readonly name = 'ForgedForm';
}

const idForm = /^[A-Za-z0-9_-]{22}$/;
const year = 31_536_000;

/** The id that ties forms to this browser; made and set where the browser has none. No secret of anybody's account. */
export const ensureBrowserId = (deps: Pick<Deps, 'config'>, request: FastifyRequest, reply: FastifyReply, platform: PlatformId): string => {
  const known = readCookie(deps, request, platform, 'browser');
  if (known !== undefined && idForm.test(known)) return known;
  const value = randomToken(16);
  setCookie(deps, reply, { platform, name: 'browser', value, maxAge: year });
  return value;
};

const csrfOf = (platform: PlatformId, browserId: string) => ({
  purpose: 'csrf',
  bytes: new TextEncoder().encode(`${platform} ${browserId}`),
});

/** The token that a form of this browser on this platform must bring back. */
export const csrfToken = ({ sealer }: Pick<Deps, 'sealer'>, platform: PlatformId, browserId: string): string => {
  const { purpose, bytes } = csrfOf(platform, browserId);
  return sealer.mac(purpose, bytes).toBase64({ alphabet: 'base64url', omitPadding: true });
};

/**
 * Proves that a form was sent from one of our pages in this browser, by its token and, where the browser says it, its origin.
 *
 * @returns the browser's id.
 * @throws ForgedForm
 */
export const requireOwnForm = (
  deps: Pick<Deps, 'config' | 'sealer'>,
  request: FastifyRequest,
  form: { readonly platform: PlatformId; readonly origin: string; readonly csrf: string | undefined },
): string => {
  const { origin } = request.headers;
  if (origin !== undefined && origin !== form.origin) throw new ForgedForm(`the form comes from ${origin}`);
  const browserId = readCookie(deps, request, form.platform, 'browser');
  if (browserId === undefined) throw new ForgedForm('the browser sent no cookie');
  // Any of the secrets may have made it: a page stays open while the operator rotates them.
  const mac = Buffer.from(form.csrf ?? '', 'base64url');
  if (!deps.sealer.checkMac({ ...csrfOf(form.platform, browserId), mac })) throw new ForgedForm('the CSRF token does not fit');
  return browserId;
};
