import type { ClientRecord, PlatformDocument } from '@grantlog/domain';

/** What an operator decided about a developer's app. */
export type ApprovalDecision =
  | { readonly kind: 'approved' }
  /** `reason` is a fixed phrase of the event. */
  | { readonly kind: 'rejected' | 'change_rejected'; readonly reason: string };

/** Text that others chose, as part of a line. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();

/** What the management API's phrases mean for whoever can do something about them. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['requested', 'It was asked for.'],
  ['abuse', 'It is against the rules of this platform.'],
  ['misleading_name', 'Its name may be taken for something else. Give it a name that says what it is and whose.'],
  ['unverified_developer', 'The operator does not know who you are yet. Get in touch with them.'],
  ['redirect_uris', 'Its redirect URIs are not acceptable. Use absolute https URIs on a host of yours.'],
  ['scopes', 'It asks for more than it seems to need. Ask for fewer scopes.'],
  ['incomplete', 'Its registration is not complete. Fill in what is missing.'],
]);

/** A phrase that nobody has worded is still a fixed phrase, and says more than nothing. */
const because = (reason: string): string =>
  reason === 'unspecified'
    ? 'The operator gave no reason.'
    : `The reason (${oneLine(reason)}): ${reasons.get(reason) ?? 'Ask the operator what to change.'}`;

const wordsOf = (decision: ApprovalDecision, app: string, start: string): { readonly title: string; readonly lines: readonly string[] } => {
  switch (decision.kind) {
    case 'approved':
      return {
        title: 'your app was approved',
        lines: [`An operator has approved your app ${app} as it is registered now. It works from this moment on.`, start],
      };
    case 'rejected':
      return {
        title: 'your app was not approved',
        lines: [
          `An operator has looked at your app ${app} and refused it. ${because(decision.reason)}`,
          'It keeps being refused by every request until then. Change its settings: that submits it again, and an operator looks at it anew.',
        ],
      };
    case 'change_rejected':
      return {
        title: 'the change of your app was not approved',
        lines: [
          `An operator has looked at the change that you proposed for your app ${app} and refused it. ${because(decision.reason)}`,
          'The app works on as it was. Change its settings again to propose something else.',
        ],
      };
  }
};

/** What a developer is told of a decision about their app: plain text, and a subject that nobody but the operator words. */
export const approvalMail = (view: {
  readonly document: PlatformDocument;
  readonly issuer: string;
  readonly client: ClientRecord;
  readonly decision: ApprovalDecision;
}): { readonly subject: string; readonly text: string } => {
  const { document, issuer, client, decision } = view;
  const name = oneLine(document.displayName);
  // A platform without OpenID Connect has RFC 8414 metadata alone.
  const discovery = document.scopes.some((scope) => scope.name === 'openid') ? 'openid-configuration' : 'oauth-authorization-server';
  const start = [
    'How to start: give this issuer to your OAuth library, which finds everything else by it.',
    '',
    `  Issuer     ${issuer}`,
    `  Discovery  ${issuer}/.well-known/${discovery}`,
    `  client_id  ${client.clientId}`,
    ...(document.documentation === null ? [] : ['', `Documentation: ${document.documentation}`]),
  ].join('\n');
  const { title, lines } = wordsOf(decision, `"${oneLine(client.name)}" (${client.clientId})`, start);
  return { subject: `${name}: ${title}`, text: `Hello,\n\n${lines.join('\n\n')}\n\n${name}\n` };
};
