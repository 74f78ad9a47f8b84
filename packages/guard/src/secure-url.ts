const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);

/** Whether secrets may travel to a URL: https, or http to this very machine, with nothing hidden in it. */
export const isSecureUrl = (text: unknown): text is string => {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== '' || password !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
};

/** @throws TypeError for what is no issuer (RFC 8414 §2). */
export const requireIssuer = (issuer: string): void => {
  if (isSecureUrl(issuer) && !/[?#]/.test(issuer)) return;
  throw new TypeError('issuer must be an https URL without query and fragment (http on loopback alone), such as https://auth.example.com');
};
