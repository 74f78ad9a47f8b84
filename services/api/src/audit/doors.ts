import { longestClientId } from '@grantlog/protocol';
import Type from 'typebox';
import { createAccountGate } from '../access/account-gate.ts';
import type { Deps } from '../deps.ts';
import { openOwnClient } from '../developer/own-client.ts';
import { platformParams } from '../json-api/schemas.ts';
import type { OperatorGate } from '../management/gate.ts';
import type { EventDoor } from './event-routes.ts';

/** For auditors and operators: everything of the platform. */
export const auditorsDoor = (gate: OperatorGate): EventDoor => ({
  prefix: '/:platform/audit',
  params: platformParams,
  route: gate.ofPlatform,
  showsLeaves: true,
  ask: async (request) => {
    const { names, by } = await gate.platform(request);
    return { names, by, own: {}, isOfOthers: true };
  },
});

/** For people: what concerns their own account, and nothing else. */
export const peoplesDoor = (deps: Deps): EventDoor => {
  const gate = createAccountGate(deps, 'account');
  return {
    prefix: '/:platform/account',
    params: platformParams,
    route: gate.route,
    showsLeaves: false,
    ask: async (request) => {
      const { names, by, account } = gate.passed(request);
      return { names, by, own: { account }, isOfOthers: false };
    },
  };
};

/** For developers: what concerns a client of theirs; the people among it are others. */
export const developersDoor = (deps: Deps): EventDoor => {
  const gate = createAccountGate(deps, 'developer');
  return {
    prefix: '/:platform/developer/clients/:clientId',
    params: Type.Object({ platform: Type.String(), clientId: Type.String({ maxLength: longestClientId }) }),
    route: gate.route,
    showsLeaves: false,
    ask: async (request) => {
      const passage = gate.passed(request);
      const { clientId = '' } = request.params as { readonly clientId?: string };
      const { stream } = await openOwnClient(deps, passage, clientId);
      return { names: passage.names, by: passage.by, own: { client: stream }, isOfOthers: true };
    },
  };
};
