// vk-io is a bot of VK.

import { hears, listen, options, required, served } from './calls.mjs';

const { VK } = required('vk-io');

const { updates } = new VK({ token: options.token, webhookSecret: options.webhook_secret });
updates.use((context) => hears(context.senderId, context.text, context.subTypes?.[0] ?? context.type));
await listen(served(updates.getWebhookCallback()));
