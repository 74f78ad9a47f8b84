import { Agent, request } from 'node:http';
import { createFormBrowser, decideAs } from '../demo/form-browser.ts';
import type { Demo, DemoPlatform } from '../seed/contract.ts';
import { createMeter, type Run } from './measure.ts';

type Tokens = { readonly access_token: string; readonly refresh_token: string };

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

const post = (url: string, form: Readonly<Record<string, string>>, authorization: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const body = new URLSearchParams(form).toString();
    const sent = request(
      url,
      {
        method: 'POST',
        agent,
        headers: { authorization, 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${url} answered ${response.statusCode}: ${text.slice(0, 200)}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });

/** A grant of its own for one caller: nobody waits for another's stream. */
const connect = async (issuer: string, platform: DemoPlatform, authorization: string): Promise<Tokens> => {
  const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'; // RFC 7636 appendix B
  const url = `${issuer}/oauth/authorize?${new URLSearchParams({
    response_type: 'code',
    client_id: platform.client.client_id,
    redirect_uri: platform.client.redirect_uri,
    scope: 'openid profile email offline_access',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  })}`;
  const callback = await decideAs(createFormBrowser(), url, { ...platform.account, decision: 'allow' });
  const form = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    redirect_uri: platform.client.redirect_uri,
  };
  return JSON.parse(await post(`${issuer}/oauth/token`, form, authorization)) as Tokens;
};

/** Refreshes and introspections over HTTP, against one API process; its CPU is counted, not the caller's. */
export const benchHttp = async (run: Run, { demo, api }: { readonly demo: Demo; readonly api: number }): Promise<void> => {
  const meter = createMeter(run, api);
  const platform = demo.platforms['arlo-health'];
  if (platform === undefined) throw new Error('the demo has no arlo-health');
  const { issuer, client } = platform;
  const authorization = `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`;
  for (const [callers, operations] of [
    [1, 500],
    [32, 4_000],
  ] as const) {
    const current: Tokens[] = [];
    for (let caller = 0; caller < callers; caller += 1) current.push(await connect(issuer, platform, authorization));
    const tokensOf = (caller: number): Tokens => current[caller] as Tokens;
    await meter({
      name: 'introspection',
      callers,
      operations,
      operation: async (_, caller) => {
        const answer = await post(`${issuer}/oauth/introspect`, { token: tokensOf(caller).access_token }, authorization);
        if (!answer.includes('"active":true')) throw new Error(`introspection said ${answer}`);
      },
    });
    await meter({
      name: 'refresh',
      callers,
      operations,
      operation: async (_, caller) => {
        const form = { grant_type: 'refresh_token', refresh_token: tokensOf(caller).refresh_token };
        current[caller] = JSON.parse(await post(`${issuer}/oauth/token`, form, authorization)) as Tokens;
      },
    });
  }
  agent.destroy();
};
