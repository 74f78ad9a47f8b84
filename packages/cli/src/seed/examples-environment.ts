import type { Demo, DemoPlatform } from './contract.ts';

type Server = Required<Pick<DemoPlatform, 'issuer' | 'resource' | 'resourceServer'>>;

const serverOf = (platform: DemoPlatform | undefined): Server | null => {
  const { issuer, resource, resourceServer } = platform ?? {};
  return issuer === undefined || resource === undefined || resourceServer === undefined ? null : { issuer, resource, resourceServer };
};

const settingsOf = (prefix: string, server: Server | null): Readonly<Record<string, string>> =>
  server === null
    ? {}
    : {
        [`${prefix}ISSUER`]: server.issuer,
        [`${prefix}RESOURCE`]: server.resource,
        [`${prefix}CLIENT_ID`]: server.resourceServer.client_id,
        [`${prefix}CLIENT_SECRET`]: server.resourceServer.client_secret,
      };

/** The settings of the example resources as the servers of the seeded platforms that have some; null where none has. */
export const examplesEnvironment = (demo: Demo | null): Readonly<Record<string, string>> | null => {
  const { arlo, along } = demo?.platforms ?? {};
  const settings = {
    ...settingsOf('', serverOf(arlo)),
    ...(arlo?.presenter === undefined ? {} : { PRESENTER: arlo.presenter.sub }),
    ...settingsOf('ALONG_', serverOf(along)),
  };
  return Object.keys(settings).length === 0 ? null : settings;
};
