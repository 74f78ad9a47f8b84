import type { AccountId } from '@grantlog/domain';
import { accountListLimit, contextIdPattern, standingKinds } from '@grantlog/domain';
import { type ContextsRefusal, readContexts, setContexts } from '@grantlog/provisioning';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { conflicting, missing, orThrow, type RefusalWords, refusalProblem, unfit } from '../json-api/refusals.ts';
import { changed, exactly, label } from '../json-api/schemas.ts';
import { foldAccount } from '../platforms/load-parties.ts';
import type { ManagementDeps } from './management-deps.ts';
import { standingIdOf } from './standing-id.ts';

const never = conflicting('The account does not allow this');
const words = {
  unknown_platform: missing('No such platform'),
  unknown_account: missing('No such account'),
  account_erased: conflicting('The account has been erased'),
  no_contexts: conflicting("Grants of this platform have no context: say in the platform's document, under contexts, what one is called"),
  malformed_context: unfit('id has to be of 1 to 64 letters, digits or . _ ~ - and not a dot or two alone'),
  context_twice: unfit('contexts has an id twice'),
  too_many_contexts: unfit('An account has at most 256 contexts'),
  too_many_subjects: conflicting('The account is too many people of identity providers'),
  issuer_linked: conflicting('The account is somebody else of that identity provider'),
  // Of the other commands of an account.
  account_exists: never,
  too_many_roles: never,
  integration_account: never,
  no_second_factor: never,
  recovery_code_unknown: never,
} as const satisfies Record<ContextsRefusal, RefusalWords>;

const tags = ['Accounts'];
const params = Type.Object({ platform: Type.String(), accountId: Type.String() });
const contexts = Type.Array(
  exactly({
    id: Type.String({ pattern: contextIdPattern, description: 'A pseudonym: it stands in events, tokens and URLs' }),
    name: Type.String({ ...label, description: 'As its owner reads it; kept sealed and erased with the account' }),
  }),
  { maxItems: accountListLimit },
);

/** The objects of an account that its grants may be for: told to us by the platform whose they are. */
export const accountContextRoutes =
  ({ gate, provisioning, log, sealer }: ManagementDeps) =>
  (app: JsonApi): void => {
    const idOf = (text: string): AccountId => {
      const id = standingIdOf<AccountId>(standingKinds.account, text);
      if (id === null) throw refusalProblem(words, 'unknown_account');
      return id;
    };

    app.get(
      '/:platform/manage/accounts/:accountId/contexts',
      {
        ...gate.ofPlatform,
        schema: { tags, summary: 'List what grants of an account may be for', params, response: { 200: Type.Object({ contexts }) } },
      },
      async (request) => {
        const { names } = await gate.platform(request);
        const { platform } = names;
        const id = idOf(request.params.accountId);
        const loaded = await log.load(platform, [{ streamId: id, withSecrets: true }]);
        const account = foldAccount(loaded, id);
        if (account === null || account.status === 'none') throw refusalProblem(words, 'unknown_account');
        return { contexts: [...readContexts(sealer, { platform, account, stream: loaded.stream(id) })] };
      },
    );

    app.put(
      '/:platform/manage/accounts/:accountId/contexts',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Set what grants of an account may be for, all of it; a grant for one that is left out has none from then on',
          params,
          body: exactly({ contexts }),
          response: { 200: changed },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const task = { platform: names.platform, account: idOf(request.params.accountId), contexts: request.body.contexts };
        return orThrow(words, await setContexts(provisioning, by, task));
      },
    );
  };
