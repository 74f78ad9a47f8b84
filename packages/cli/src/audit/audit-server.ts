import { Problem, systemErrorCode } from '../problem.ts';
import { refusalOf } from './refusal.ts';

type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * The audit trail of a platform, as a server tells it to the holder of a token. What may be seen is the server's to decide.
 *
 * Every question throws a Problem for whatever is no answer: who cannot be reached, refuses or fails.
 */
export type AuditServer = {
  readonly issuer: string;
  /** @param path below `/audit/` */
  readonly get: (path: string, query?: Query) => Promise<Response>;
  /** Asks with a body: for what should stand in no access log. */
  readonly post: (path: string, body: object) => Promise<Response>;
};

const why = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return systemErrorCode(cause) ?? (cause instanceof Error ? cause.message : String(cause));
};

const spell = (query: Query): string => {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
};

/** @param server.token null for what is open to everybody. */
export const auditServer = (server: { readonly issuer: string; readonly token: string | null }): AuditServer => {
  const { issuer, token } = server;
  const ask = async (path: string, request: { readonly method: string; readonly type?: string; readonly body?: string }) => {
    const url = `${issuer}/audit/${path}`;
    const { method, type, body } = request;
    const headers = {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(type === undefined ? {} : { 'content-type': type }),
    };
    // A redirect would take the token elsewhere.
    const response = await fetch(url, { method, headers, redirect: 'error', ...(body === undefined ? {} : { body }) }).catch(
      (error: unknown) => {
        throw new Problem(`${issuer} cannot be asked (${why(error)})`, 'check --url, and that the server is up', { cause: error });
      },
    );
    if (response.ok) return response;
    throw refusalOf(`${method} ${url}`, response.status, await response.text().catch(() => ''));
  };
  return {
    issuer,
    get: (path, query = {}) => ask(`${path}${spell(query)}`, { method: 'GET' }),
    post: (path, body) => ask(path, { method: 'POST', type: 'application/json', body: JSON.stringify(body) }),
  };
};

const brokenOff = (issuer: string, error: unknown): Problem =>
  new Problem(`The answer of ${issuer} broke off (${why(error)})`, 'ask again; where it breaks off again, look into the log of the API', {
    cause: error,
  });

/** A whole answer as it was sent. @throws Problem where it ends before its end */
export const bytesOf = async (server: AuditServer, asked: Promise<Response>): Promise<Uint8Array> =>
  (await asked).bytes().catch((error: unknown) => {
    throw brokenOff(server.issuer, error);
  });

/**
 * An answer in JSON.
 *
 * @param member one that every such answer has.
 * @throws Problem for what is none
 */
export const answerOf = async <Answer extends object>(
  server: AuditServer,
  asked: Promise<Response>,
  member: keyof Answer & string,
): Promise<Answer> => {
  const text = new TextDecoder().decode(await bytesOf(server, asked));
  const noAnswer = new Problem(`${server.issuer} answers, and not as an audit trail does`, 'check --url: it is the issuer of a platform');
  try {
    const answer: unknown = JSON.parse(text);
    // What has the member that tells it from other answers is believed to be what the server's own types say.
    if (typeof answer === 'object' && answer !== null && Object.hasOwn(answer, member)) return answer as Answer;
  } catch {
    throw noAnswer;
  }
  throw noAnswer;
};

/** An answer piece by piece. @throws Problem where it ends before its end */
export async function* piecesOf(server: AuditServer, response: Response): AsyncGenerator<Uint8Array> {
  try {
    if (response.body !== null) yield* response.body;
  } catch (error) {
    throw brokenOff(server.issuer, error);
  }
}
