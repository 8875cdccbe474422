// vk-io is a bot of VK.

import { hears, listen, options, required, served } from './calls.mjs';

const { VK } = required('vk-io');

const { updates } = new VK({ token: options.token, webhookSecret: options.webhook_secret });
updates.use((context) => {
  const kind = context.subTypes?.[0] ?? context.type;
  hears(context.senderId, context.text, kind, Number(context.createdAt) * 1000);
});
await listen(served(updates.getWebhookCallback()));
