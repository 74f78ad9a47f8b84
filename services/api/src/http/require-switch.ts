import type { CompatibilitySwitches } from '@grantlog/domain';
import type { PlatformNames } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';

/** The path exists only on platforms whose document switches it on. */
export class PathNotOnPlatform extends Error {
  override readonly name = 'PathNotOnPlatform';
}

/** @throws PathNotOnPlatform answered with 404. */
export const requireSwitch = async (deps: Pick<Deps, 'log'>, names: PlatformNames, name: keyof CompatibilitySwitches): Promise<void> => {
  const platform = foldPlatform(await deps.log.load(names.platform, platformStreams));
  if (platform.status === 'none' || !platform.document.switches[name])
    throw new PathNotOnPlatform(`${names.platform} does not switch ${name} on`);
};
