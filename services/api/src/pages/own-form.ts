import type { PlatformDocument } from '@grantlog/domain';
import { OAuthError, type RequestParameters, readParameters } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { requireOwnForm } from '../http/browser.ts';
import { formBody } from '../http/form-body.ts';
import { issuerOf, pathOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

/** A page's surroundings: whose it is and where its forms lead. */
export type PagePlace = {
  readonly names: PlatformNames;
  readonly document: PlatformDocument;
  /** Where the platform's pages live on its host. */
  readonly path: string;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly now: number;
};

/** The platform that a page belongs to. @throws UnknownPlatformRequested, OAuthError where it is suspended. */
export const pagePlace = async (deps: Deps, request: FastifyRequest): Promise<PagePlace> => {
  const names = await resolvePlatform(deps, request);
  const loaded = await deps.log.load(names.platform, platformStreams);
  const platform = foldPlatform(loaded);
  if (platform.status !== 'active')
    throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
  const { document } = platform;
  return { names, document, path: pathOf(issuerOf(document, deps.config.publicUrl)), now: loaded.now };
};

/**
 * A form that one of our pages in this browser has sent, with these fields.
 *
 * @throws ForgedForm, and what {@link pagePlace} throws.
 */
export const readOwnForm = async <const Name extends string>(
  deps: Deps,
  request: FastifyRequest,
  fields: readonly Name[],
): Promise<PagePlace & { readonly browserId: string; readonly sent: RequestParameters<Name | 'csrf'> }> => {
  const sent = readParameters<Name | 'csrf'>(formBody(request), ['csrf', ...fields]);
  const place = await pagePlace(deps, request);
  const { platform } = place.names;
  const origin = new URL(issuerOf(place.document, deps.config.publicUrl)).origin;
  const csrf = readParameters(formBody(request), ['csrf']).get('csrf');
  return { ...place, browserId: requireOwnForm(deps, request, { platform, origin, csrf }), sent };
};
