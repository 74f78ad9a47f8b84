import type { ToolAnnotations } from '@modelcontextprotocol/server';
import Type, { type Static, type TSchema } from 'typebox';
import { checkAccountStatus } from '../agent/check-account-status.ts';
import type { AgentContext } from '../agent/context.ts';
import { AgentError, agentErrorBody } from '../agent/errors.ts';
import { getWebhookStatus } from '../agent/get-webhook-status.ts';
import { initSignup } from '../agent/init-signup.ts';
import { registerWebhook } from '../agent/register-webhook.ts';
import {
  checkAccountStatusInput,
  checkAccountStatusResult,
  getWebhookStatusInput,
  getWebhookStatusResult,
  initSignupInput,
  initSignupResult,
  registerWebhookInput,
  registerWebhookResult,
} from '../agent/schemas.ts';
import { checkerOf } from '../json-api/validate.ts';

/** One operation as MCP shows it. */
export type AgentTool = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: Required<Omit<ToolAnnotations, 'title'>>;
  readonly input: TSchema;
  readonly output: TSchema;
  /** @throws AgentError `invalid_request` for arguments that the schema refuses, and what the operation throws. */
  readonly run: (context: AgentContext, input: unknown) => Promise<object>;
};

const tool = <Input extends TSchema>({
  operation,
  result,
  ...shown
}: Omit<AgentTool, 'run' | 'output' | 'input'> & {
  readonly input: Input;
  readonly result: TSchema;
  readonly operation: (context: AgentContext, input: Static<Input>) => Promise<object>;
}): AgentTool => {
  const problemsOf = checkerOf(shown.input);
  return {
    ...shown,
    // One object at the root, as clients before 2026-07-28 require, and errors in it: SDK 1.x validates those as well.
    output: Type.Unsafe({ type: 'object', anyOf: [result, agentErrorBody] }),
    run: (context, input) => {
      const problems = problemsOf(input);
      if (problems.length > 0) {
        const named = problems.slice(0, 5).map(({ path, problem }) => `${path === '' ? 'the arguments' : path} ${problem}`);
        throw new AgentError('invalid_request', `${shown.name} cannot be called like this: ${named.join('; ')}`);
      }
      return operation(context, input as Static<Input>); // checked against this very schema
    },
  };
};

/** What an agent can do here; each has its twin under `/rest`. */
export const agentTools: readonly AgentTool[] = [
  tool({
    name: 'init_signup',
    title: 'Sign a person up',
    description:
      'Begins to connect a person: returns authUrl for them to open in a browser, the number that they have to choose on the page, and sessionId to ask check_account_status with. Needs no access token.',
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    input: initSignupInput,
    result: initSignupResult,
    operation: initSignup,
  }),
  tool({
    name: 'check_account_status',
    title: 'Check how a sign-up stands',
    description:
      'With sessionId: whether the person has finished; needs no access token, and says more with that of the session. Without: whom your access token stands for, and its sessions. No faster than interval.',
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: checkAccountStatusInput,
    result: checkAccountStatusResult,
    operation: checkAccountStatus,
  }),
  tool({
    name: 'register_webhook',
    title: 'Register a webhook',
    description:
      'Has webhooks of your session sent to a URL of yours, or changes where and how. It is tested by a signed verification event. Needs the access token of a session.',
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
    input: registerWebhookInput,
    result: registerWebhookResult,
    operation: registerWebhook,
  }),
  tool({
    name: 'get_webhook_status',
    title: 'See the webhooks of your session',
    description: 'Where webhooks go and whether the receiver has answered; never their secrets. Needs the access token of a session.',
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: getWebhookStatusInput,
    result: getWebhookStatusResult,
    operation: getWebhookStatus,
  }),
];
