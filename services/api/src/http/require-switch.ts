import type { CompatibilitySwitches } from '@grantlog/domain';
import type { PlatformNames } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';

/** The path exists only on platforms whose document switches it on. */
export class PathNotOnPlatform extends Error {
  override readonly name = 'PathNotOnPlatform';
}

/** One place of an endpoint: on every platform, or only on those that switch it on. */
export type EndpointPath = { readonly path: string; readonly onlyWith: keyof CompatibilitySwitches | null };

export const everywhere = (path: string): EndpointPath => ({ path, onlyWith: null });
export const onlyWith = (name: keyof CompatibilitySwitches, path: string): EndpointPath => ({ path, onlyWith: name });

/** @throws PathNotOnPlatform answered with 404. */
export const requireSwitch = async (
  deps: Pick<Deps, 'log'>,
  names: PlatformNames,
  name: keyof CompatibilitySwitches | null,
): Promise<void> => {
  if (name === null) return;
  const platform = foldPlatform(await deps.log.load(names.platform, platformStreams));
  if (platform.status === 'none' || !platform.document.switches[name])
    throw new PathNotOnPlatform(`${names.platform} does not switch ${name} on`);
};
