export type Visit = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly location: URL | null;
  /** Hidden inputs of the page's form. */
  readonly hidden: Readonly<Record<string, string>>;
};

const hiddenInputs = (page: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...page.matchAll(/<input type="hidden" name="([a-z]+)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [name, value]),
  );

/**
 * A browser whose every byte a test may change: cookies, hidden inputs, headers. It follows nothing by itself.
 *
 * @param origin what its forms say they come from, unless a request's own headers say otherwise; null for none.
 */
export const createVisitor = (origin: string | null) => {
  const cookies = new Map<string, string>();

  const send = async (url: string, init: RequestInit): Promise<Visit> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...(cookie === '' ? {} : { cookie }), ...init.headers } });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';', 1);
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const text = await response.text();
    const location = response.headers.get('location');
    return {
      status: response.status,
      headers: response.headers,
      text,
      location: location === null ? null : new URL(location),
      hidden: hiddenInputs(text),
    };
  };

  return {
    cookies,
    open: (url: string, headers: Readonly<Record<string, string>> = {}) => send(url, { headers }),
    post: (
      url: string,
      form: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
      headers: Readonly<Record<string, string>> = {},
    ) =>
      send(url, {
        method: 'POST',
        body: new URLSearchParams(Array.isArray(form) ? form.map(([name, value]) => [name, value]) : Object.entries(form)),
        headers: { ...(origin === null ? {} : { origin }), ...headers },
      }),
  };
};

export type Visitor = ReturnType<typeof createVisitor>;
