// Meta signs what it tells of WhatsApp, Messenger and Instagram in the same way.

import { options, required } from './calls.mjs';

const { WhatsAppAPI } = await import(required.resolve('whatsapp-api-js'));

/** Whoever knows the app's secret. */
export const meta = new WhatsAppAPI({
  token: options.token,
  appSecret: options.app_secret,
  webhookVerifyToken: options.verify_token,
  v: 'v23.0',
});

/** @param {import('./calls.mjs').Call} call */
export function isSigned({ headers, body }) {
  return meta.verifyRequestSignature(body, headers['x-hub-signature-256'] ?? '');
}
