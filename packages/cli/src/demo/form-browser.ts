/** What a form of a page holds: where it goes and what its hidden inputs say. */
export type Form = { readonly action: string; readonly hidden: Readonly<Record<string, string>>; readonly inputs: readonly string[] };

export type PageVisit = {
  readonly url: string;
  readonly status: number;
  readonly html: string;
  readonly form: Form | null;
};

const decode = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

const attribute = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : decode(found);
};

const readForm = (html: string, base: string): Form | null => {
  const form = /<form\b[^>]*>/.exec(html)?.[0];
  if (form === undefined) return null;
  const tags = html.match(/<input\b[^>]*>/g) ?? [];
  const named = tags.flatMap((tag) => {
    const name = attribute(tag, 'name');
    return name === undefined ? [] : [{ name, hidden: attribute(tag, 'type') === 'hidden', value: attribute(tag, 'value') ?? '' }];
  });
  return {
    action: new URL(attribute(form, 'action') ?? '', base).href,
    hidden: Object.fromEntries(named.filter((input) => input.hidden).map((input) => [input.name, input.value])),
    inputs: named.filter((input) => !input.hidden).map((input) => input.name),
  };
};

/**
 * Plays a browser without a screen: keeps cookies, reads the forms of pages and sends them back. It follows no redirect
 * by itself, because where a redirect leads is what its users look at.
 *
 * @param options.origin what forms say they come from, where a node is reached past the proxy that has the public origin.
 */
export const createFormBrowser = (options: { readonly origin?: string } = {}) => {
  const cookies = new Map<string, string>();

  const visit = async (url: string, init: RequestInit = {}): Promise<PageVisit & { readonly location: string | null }> => {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';', 1);
      const at = pair.indexOf('=');
      cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const html = await response.text();
    const location = response.headers.get('location');
    return {
      url,
      status: response.status,
      html,
      form: readForm(html, url),
      location: location === null ? null : new URL(location, url).href,
    };
  };

  return {
    open: (url: string) => visit(url),
    /** Sends a page's form with its hidden inputs and these values, from the page's own origin. */
    submit: (page: PageVisit, values: Readonly<Record<string, string>>) => {
      if (page.form === null) throw new Error(`the page ${page.url} (${page.status}) has no form`);
      return visit(page.form.action, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: options.origin ?? new URL(page.url).origin },
        body: new URLSearchParams({ ...page.form.hidden, ...values }),
      });
    },
  };
};

export type FormBrowser = ReturnType<typeof createFormBrowser>;

/** Signs in where a page asks for it, then decides, unless the person is remembered to have allowed it; returns the redirect that goes back to the client. */
export const decideAs = async (
  browser: FormBrowser,
  authorizationUrl: string,
  person: { readonly email: string; readonly password: string; readonly decision: 'allow' | 'deny' },
): Promise<URL> => {
  let page = await browser.open(authorizationUrl);
  if (page.form?.inputs.includes('password') === true)
    page = await browser.submit(page, { email: person.email, password: person.password });
  if (page.location !== null && person.decision === 'allow') return new URL(page.location);
  if (page.form?.hidden['request'] === undefined || page.form.inputs.includes('password')) {
    throw new Error(`expected the consent page, got ${page.status}: ${page.html.replaceAll(/<[^>]+>/g, ' ').slice(0, 300)}`);
  }
  const decided = await browser.submit(page, { decision: person.decision });
  if (decided.location === null) throw new Error(`the decision was answered with ${decided.status}, not with a redirect`);
  return new URL(decided.location);
};
