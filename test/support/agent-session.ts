import { deviceCodeGrant } from '@grantlog/domain';
import { type Answer, post } from './agent.ts';
import { createVisitor, type Visit, type Visitor } from './visitor.ts';

type Api = { readonly url: string };
type Person = { readonly email: string; readonly password: string };

/** A session as an agent that has begun it knows it. */
export type SignUp = {
  readonly authUrl: string;
  readonly sessionId: string;
  readonly number: number;
};

/** An agent that brings people in over REST, and the people, on one platform of any API process. */
export const createSignUps = (of: { readonly platform: string; readonly publicUrl: string; readonly clientId?: string }) => {
  const { platform, publicUrl, clientId = 'unidentified-agent' } = of;
  const at = (api: Api, path: string): string => `${api.url}/${platform}${path}`;
  const { origin } = new URL(publicUrl);

  const begin = async (api: Api, more: Readonly<Record<string, unknown>> = {}): Promise<SignUp> => {
    const response = await fetch(at(api, '/rest/signup'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'test-agent/1.0' },
      body: JSON.stringify({ baseUrl: publicUrl, ...more }),
    });
    const text = await response.text();
    if (response.status !== 201) throw new Error(`${response.status} ${text}`);
    return JSON.parse(text) as SignUp;
  };
  const signIn = (api: Api, visitor: Visitor, page: Visit, person: Person): Promise<Visit> =>
    visitor.post(at(api, '/sign-in'), { ...page.hidden, email: person.email, password: person.password });
  const answer = (api: Api, visitor: Visitor, page: Visit, fields: Readonly<Record<string, string>>): Promise<Visit> =>
    visitor.post(at(api, '/connect'), { ...page.hidden, ...fields });
  /** The page that a link leads to, at this process. */
  const pathOf = ({ authUrl }: Pick<SignUp, 'authUrl'>): string => new URL(authUrl).pathname.slice(platform.length + 1);
  /** A browser that has followed a link and signed in. */
  const atConnect = async (api: Api, signUp: SignUp, person: Person, visitor = createVisitor(origin)) => {
    const page = await signIn(api, visitor, await visitor.open(at(api, pathOf(signUp))), person);
    if (!page.text.includes('name="number"')) throw new Error(`not asked for a number: ${page.status} ${page.text}`);
    return { visitor, page };
  };
  const redeem = (api: Api, { sessionId }: SignUp): Promise<Answer> =>
    post(at(api, '/oauth/token'), { grant_type: deviceCodeGrant, device_code: sessionId, client_id: clientId });

  return {
    at,
    begin,
    pathOf,
    signIn,
    answer,
    atConnect,
    redeem,
    newVisitor: (): Visitor => createVisitor(origin),
    /** A person's connection by a fresh session, its tokens redeemed. */
    connect: async (api: Api, person: Person, more: Readonly<Record<string, unknown>> = {}) => {
      const signUp = await begin(api, more);
      const { visitor, page } = await atConnect(api, signUp, person);
      const final = await answer(api, visitor, page, { number: String(signUp.number) });
      const { status, body } = await redeem(api, signUp);
      if (status !== 200) throw new Error(`not redeemed: ${JSON.stringify(body)}`);
      return { signUp, visitor, final, accessToken: String(body['access_token']), refreshToken: String(body['refresh_token']) };
    },
    /** The numbers that a page offers, in its order. */
    offeredBy: ({ text }: Visit): readonly string[] => [...text.matchAll(/name="number" value="(\d+)"/g)].map(([, number = '']) => number),
  };
};

export type SignUps = ReturnType<typeof createSignUps>;
