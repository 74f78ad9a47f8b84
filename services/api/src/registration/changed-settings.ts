import { type ClientRecord, type ClientSettings, sameJson } from '@grantlog/domain';
import type { OwnSettings } from './own-settings.ts';

/**
 * Those settings that differ from what the client has: an update says everything, and the log what changed. What a client never
 * says of itself stays as it is, for an operator may have narrowed it since.
 */
export const changedSettings = (client: ClientRecord, wished: OwnSettings): Partial<ClientSettings> => {
  const { kind: _, scopes: __, serves: ___, roles: ____, ...settings } = wished;
  const names = Object.keys(settings) as readonly (keyof typeof settings)[];
  return Object.fromEntries(names.filter((name) => !sameJson(client[name], settings[name])).map((name) => [name, settings[name]]));
};
