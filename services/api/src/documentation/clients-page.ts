import type { PlatformDocument } from '@grantlog/domain';
import { paragraphs, type TextPage, table } from './text-page.ts';

const registersItself = ({ registration }: PlatformDocument): boolean => registration.policy.includes('open');
const describesItself = ({ registration }: PlatformDocument): boolean => registration.policy.includes('metadata_document');

/** How a client that nobody here knows gets a `client_id`. */
export const clientsPage: TextPage = {
  slug: 'clients',
  title: 'Clients',
  about: 'How an app gets a client_id: by a document of its own, by registering itself, or by one that is known here already',
  isFor: (document) => document.grantTypes.includes('authorization_code'),
  write: ({ document, issuer }) => {
    const { registration, presetClients } = document;
    const known = presetClients.filter(({ grantTypes }) => grantTypes.includes('authorization_code'));
    return paragraphs(
      '# Clients',
      `A \`client_id\` belongs to this issuer alone: never send one that another server gave you to \`${issuer}\`.`,
      describesItself(document)
        ? paragraphs(
            '## By a document of your own',
            'Use the https URL of a JSON document as your `client_id` (OAuth Client ID Metadata Document). It says `client_id` (that very URL), `client_name`, `redirect_uris` and, if you have keys, `jwks_uri`. There is nothing to register and nothing to lose; the document is read again when its cache headers allow it, and at most every minute. A redirect URI that you take out of it gets no more answers. Serve it as JSON, without a redirect, in at most 10 KB.',
          ).trimEnd()
        : null,
      registersItself(document)
        ? paragraphs(
            '## By registering itself',
            `\`POST ${issuer}/oauth/register\` with a JSON body (RFC 7591): \`{"client_name": "…", "redirect_uris": ["…"], "token_endpoint_auth_method": "none"}\`. The answer is 201 with your \`client_id\`, and a token by which you read, change and delete the registration (RFC 7592). Name every redirect URI that you will use; a scope that you leave out now can still be asked for later.`,
            `Keep the \`client_id\` for as long as it works and register again only on \`invalid_client\` (401) from the token endpoint. A client that nobody has ever connected with is ended after ${registration.unusedClientDays} days.`,
          ).trimEnd()
        : null,
      known.length === 0
        ? null
        : paragraphs(
            '## Known here already',
            table(
              ['client_id', 'App', 'Redirect URIs'],
              known.map(({ clientId, name, redirectUris }) => [
                `\`${clientId}\``,
                name,
                redirectUris.map((uri) => `\`${uri}\``).join(', '),
              ]),
            ),
          ).trimEnd(),
      '## Redirect URIs',
      'They are compared byte for byte. On `http://127.0.0.1`, `http://[::1]` and `http://localhost` the port may be any, because it is the system that gives your app one.',
    );
  },
};
