// whatsapp-api-js is a program of the Cloud API.

import { hears, listen } from './calls.mjs';
import { isSigned, meta } from './meta.mjs';

meta.on.message = ({ from, message }) => {
  const { interactive } = message;
  const chosen = interactive?.[interactive.type];
  const text = message.text?.body ?? (message.context?.id && chosen?.title);
  hears(from, text, message.type, Number(message.timestamp) * 1000);
};
meta.on.status = ({ phone, status, timestamp }) =>
  hears(phone, undefined, status, Number(timestamp) * 1000);
await listen(async (call) => {
  const read = JSON.parse(call.body);
  // It reads no further what is not of a number, such as news of the account.
  if (!read.entry[0].changes[0].value.metadata) return (await isSigned(call)) ? 200 : 401;
  try {
    await meta.post(read, call.body, call.headers['x-hub-signature-256']);
    return 200;
  } catch (error) {
    if (error.httpStatus === undefined) throw error;
    return error.httpStatus;
  }
});
