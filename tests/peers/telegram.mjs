// grammY is a bot of Telegram.

import { hears, listen, options, required, served } from './calls.mjs';

const { Bot, webhookCallback } = required('grammy');

const botInfo = { id: 123456, is_bot: true, first_name: 'Shop', username: 'shop_bot' };
const bot = new Bot(options.token, { botInfo });
bot.use((context) => {
  const press = context.callbackQuery;
  const buttons = press?.message?.reply_markup?.inline_keyboard.flat() ?? [];
  const pressed = buttons.find(({ callback_data }) => callback_data === press.data);
  const kinds = [':photo', 'message:text', 'callback_query:data'];
  // Every press is told with the chat that it comes from.
  const isWhole = !press || press.chat_instance;
  const kind = isWhole ? kinds.find((kind) => context.has(kind)) : undefined;
  const words = context.message?.text ?? context.message?.caption;
  const date = Number(context.msg?.date) * 1000;
  hears(context.from?.id, press ? pressed?.text : words, kind ?? 'other', date);
});
const secretToken = options.webhook_secret;
await listen(served(webhookCallback(bot, 'http', { secretToken })));
