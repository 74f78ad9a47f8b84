import { deviceCodeGrant } from '@grantlog/domain';
import { agentErrors } from '../agent/errors.ts';
import { mcpUrlOf } from '../mcp/cards.ts';
import { lasting, paragraphs, type TextPage, table } from './text-page.ts';

/** How an agent without a browser brings a person in. */
export const agentsPage: TextPage = {
  slug: 'agents',
  title: 'Sign a person up',
  about: 'init_signup, check_account_status, the redemption, and every error with what to do about it',
  isFor: (document) => document.agentSignUp !== null,
  write: ({ document, issuer }) => {
    const { agentSignUp, lifetimes, mcpServer } = document;
    if (agentSignUp === null) throw new Error('the page is for platforms with sign-up by agents');
    const doors =
      mcpServer === null
        ? 'over REST, as each step says'
        : `as tools of the MCP server at \`${mcpUrlOf(issuer)}\`, or over REST, as each step says`;
    return paragraphs(
      '# Sign a person up',
      `An agent that has no browser begins with \`init_signup\`, hands a link to its person, and asks how it stands: ${doors}. It is the device authorization grant (RFC 8628) by another name.`,
      '## 1. Begin',
      `Call \`init_signup\`, or \`POST ${issuer}/rest/signup\`, with \`{"baseUrl":"${mcpServer?.resource ?? issuer}"}\`. No token is needed. It answers:`,
      table(
        ['Member', 'Meaning'],
        [
          ['`authUrl`', 'For the person to open in a browser. It works once.'],
          ['`number`', 'Tell it to the person: the page shows three numbers, and they choose this one. Another one ends the sign-up.'],
          ['`sessionId`', 'A secret of yours, the device code. Never show it to anybody.'],
          ['`expiresIn`', `Seconds until both are over: ${lifetimes.signUpLinkSeconds}.`],
          ['`interval`', `Least seconds between two polls: ${agentSignUp.intervalSeconds}.`],
        ],
      ),
      `You may also send \`webhookUrl\`, \`webhookToken\`, \`deliveryContext\`, \`conversationSessionKey\` (see [webhooks](${issuer}/docs/webhooks.md)), \`clientId\` if you are registered, and \`scope\`.`,
      agentSignUp.codeChallengeRequired
        ? '`codeChallenge` is required: base64url of SHA-256 of a fresh code verifier (RFC 7636, S256).'
        : 'Send `codeChallenge` as well: base64url of SHA-256 of a fresh code verifier (RFC 7636, S256). Then only who has the verifier can redeem.',
      '## 2. Wait',
      `The person signs in or makes an account, sees who asks and for what, and chooses the number. Ask \`check_account_status\` with \`sessionId\`, or \`POST ${issuer}/rest/signup/status\`, no faster than \`interval\`. \`status\` is \`pending\`, \`complete\`, \`denied\`, \`expired\` or \`revoked\`.`,
      '## 3. Redeem',
      paragraphs(
        `Once it is \`complete\`, redeem \`sessionId\`, once, within the ${lasting(lifetimes.signUpLinkSeconds)} that it has:`,
        [
          '```',
          `POST ${issuer}/oauth/token`,
          'Content-Type: application/x-www-form-urlencoded',
          '',
          `grant_type=${encodeURIComponent(deviceCodeGrant)}&device_code={sessionId}&client_id={client_id}&code_verifier={if you sent codeChallenge}`,
          '```',
        ].join('\n'),
        `\`client_id\` is as \`check_account_status\` names it. Tokens are in the answer of this endpoint alone, never in that of a tool.`,
      ).trimEnd(),
      '## 4. Afterwards',
      `With the session's access token, \`check_account_status\` also tells the person's name (scope \`profile\`), when they connected, and the webhooks; without \`sessionId\` (\`GET ${issuer}/rest/account-status\`) it tells whose token you have. A session lasts until the person, you (\`DELETE ${issuer}/rest/session\`) or an operator ends it; the person finds it at \`${issuer}/connections\`. Then begin anew with \`init_signup\`.`,
      '## Errors',
      table(
        ['Error', 'HTTP', 'Meaning', 'What to do'],
        Object.entries(agentErrors).map(([code, { status, title, resolution }]) => [`\`${code}\``, String(status), title, resolution]),
      ),
      'Over MCP an error is a result with `isError` and the same members as structured content. A call that needs a token and has no good one is answered with HTTP 401 and a challenge, at which MCP clients begin their own sign-in.',
    );
  },
};
