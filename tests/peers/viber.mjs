// Viber's own package for bots. Its server looks for the signature under a name that Node
// does not give it, and does not answer what is forged: its parts are asked one by one.

import { hears, listen, options, required } from './calls.mjs';

const { Bot, Events } = required('viber-bot');
const Validator = required('viber-bot/lib/message/message-validator');

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const validator = new Validator(quiet, options.token);
const bot = new Bot(quiet, { authToken: options.token, name: options.sender_name, avatar: '' });
bot.on(Events.MESSAGE_RECEIVED, (message, { userProfile }) =>
  hears(userProfile.id, message?.text, message?.constructor.getType() ?? 'other', message?.timestamp),
);
bot.on(Events.ERROR, (error) => {
  if (error instanceof Error) throw error;
});
await listen(async ({ headers, body }) => {
  if (!validator.validateMessage(headers['x-viber-content-signature'], body)) return 401;
  bot._middleware.getStream().emit('data', body);
  return 200;
});
