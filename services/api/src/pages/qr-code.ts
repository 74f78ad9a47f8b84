import { encode } from 'uqr';
import type { SafeHtml } from '../http/html.ts';
import { html } from '../http/html.ts';

/** A text as a QR code to stand in a page: no image that the page's policy would have to let in, dark on light in every colour scheme. */
export const qrCode = (text: string, label: string): SafeHtml => {
  // Four modules of quiet zone, as the standard has it; scanners fail without.
  const { data, size } = encode(text, { ecc: 'M', border: 4 });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return html`<svg role="img" aria-label="${label}" width="240" height="240" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path d="${path}" fill="#000"/></svg>`;
};
