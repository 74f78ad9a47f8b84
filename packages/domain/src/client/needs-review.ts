import { sameJson } from '../same-json.ts';
import type { ClientSettings, DeveloperSettings } from './events.ts';

const adds = (from: readonly string[], to: readonly string[]): boolean => to.some((each) => !from.includes(each));

/** Whether a new value of a setting is more, or something else, than an operator has approved. Less never is. */
const widens: { readonly [Name in keyof DeveloperSettings]: (from: ClientSettings[Name], to: ClientSettings[Name]) => boolean } = {
  // The name is what people read when they consent.
  name: (from, to) => from !== to,
  redirectUris: adds,
  grantTypes: adds,
  // Null stands for all. What a scope implies is not looked up: who asks for one by name is asked about by name.
  scopes: (from, to) => from !== null && (to === null || adds(from, to)),
  authMethods: adds,
  applicationType: (from, to) => from !== to,
  // By its keys a client proves itself, and nothing more: they are its own to change, as its secret is.
  jwks: () => false,
  jwksUri: () => false,
  assertionAlg: () => false,
  postLogoutRedirectUris: adds,
  backchannelLogout: (from, to) => to !== null && to.uri !== from?.uri,
  dpopRequired: (from, to) => from && !to,
  parRequired: (from, to) => from && !to,
  // Its links stand beside its name.
  about: (from, to) => !sameJson(from, to),
};

const settingNames = Object.keys(widens) as readonly (keyof DeveloperSettings)[];

const pick = (changes: Partial<DeveloperSettings>, keep: (name: keyof DeveloperSettings) => boolean): Partial<DeveloperSettings> =>
  Object.fromEntries(settingNames.filter((name) => changes[name] !== undefined && keep(name)).map((name) => [name, changes[name]]));

/** A developer's change of an approved client, taken apart into what needs an operator's eye and what does not. */
export const splitChange = (
  client: ClientSettings,
  changes: Partial<DeveloperSettings>,
): { readonly atOnce: Partial<DeveloperSettings>; readonly forReview: Partial<DeveloperSettings> } => {
  const needsReview = <Name extends keyof DeveloperSettings>(name: Name): boolean => {
    const to: ClientSettings[Name] | undefined = changes[name];
    return to !== undefined && widens[name](client[name], to);
  };
  return { atOnce: pick(changes, (name) => !needsReview(name)), forReview: pick(changes, needsReview) };
};

/** What of an earlier proposal a later change does not speak of. */
export const untouchedBy = (changes: Partial<DeveloperSettings>, earlier: Partial<DeveloperSettings>): Partial<DeveloperSettings> =>
  pick(earlier, (name) => changes[name] === undefined);
