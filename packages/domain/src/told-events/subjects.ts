import { anything, type Member, ordinal, text, url, uuid } from './members.ts';

/** What an event is about. */
export type EventSubject = 'grant' | 'session' | 'account' | 'sign_in' | 'client' | 'endpoint';

type Members = Readonly<Record<string, Member>>;

const grantId = uuid('The grant', '01981c3e-7a10-7c44-9d8e-2f6b1a0c5d37');
const sessionId = uuid("The agent's sign-up session", '01981c3d-f2b8-7e15-8a46-90c3d7e5b214');
const accountId = uuid('The account', '00000000-0003-8c21-a4d0-5b9e6f7a8c13');
const signInId = uuid('The sign-in of a browser; what ID tokens call sid', '01981c3c-51d7-7b92-a0c4-6e8f1d2b3a49');
const endpointId = uuid('The webhook endpoint that it is about', '00000000-0006-8f07-b3e9-1d2c4a6b8e50');
const clientId = text('The client_id of the client', 'vault-agent');

/** What every body says, whatever it is about. */
const everywhere: Members = {
  platform: text('The platform on which it happened', 'example'),
  sequence: ordinal(
    'The version of the subject: puts what happened to it in order. Where many grants ended at once, that of each before its end',
    3,
  ),
  position: ordinal("The place in the platform's log: puts everything on the platform in order", 1_042),
};

/** What the endpoint of a session gets besides, and no other. */
const repeated: Members = {
  sessionKey: text('The key by which its agent registered this webhook', 'session_main'),
  deliveryContext: anything('What the agent gave to be repeated, as it gave it', { channel: 'chat', thread: '42' }),
  conversationSessionKey: text("The agent's own name for the conversation, where it gave one", 'conversation-42'),
  audience: url(
    "The receiver's URL without its query, where the platform's own key has signed too: refuse what is for another",
    'https://agent.example/hooks',
  ),
};

/** The members of bodies about each kind of subject, those of the single types aside: `always` there, or `sometimes`. */
export const subjects: Readonly<Record<EventSubject, { readonly always: Members; readonly sometimes: Members }>> = {
  grant: {
    always: { ...everywhere, grantId, clientId },
    sometimes: {
      accountId: { ...accountId, description: 'Whose grant it is; absent where a client acts for itself' },
      sessionId: { ...sessionId, description: "The agent's sign-up session that it came from; absent where there was none" },
      ...repeated,
    },
  },
  session: { always: { ...everywhere, sessionId, clientId }, sometimes: repeated },
  account: { always: { ...everywhere, accountId }, sometimes: repeated },
  sign_in: { always: { ...everywhere, signInId, accountId }, sometimes: {} },
  client: { always: { ...everywhere, clientId }, sometimes: {} },
  endpoint: { always: { ...everywhere, endpointId }, sometimes: { sessionId, ...repeated } },
};
