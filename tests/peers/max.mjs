// MAX's own package for bots.

import { hears, listen, options, required, served } from './calls.mjs';

const { Bot } = required('@maxhub/max-bot-api');

const bot = new Bot(options.token);
bot.use((context) => {
  const { body } = context.message ?? {};
  const [keyboard] = context.callback ? (body?.attachments ?? []) : [];
  const buttons = keyboard?.payload.buttons.flat() ?? [];
  const pressed = buttons.find((button) => button.payload === context.callback.payload);
  const text = context.callback ? pressed?.text : body?.text;
  hears(context.user?.user_id, text, context.updateType, context.update.timestamp);
});
const hook = { domain: 'shop.test', path: '/', secret: options.webhook_secret };
await listen(served(bot.webhookCallback(hook)));
