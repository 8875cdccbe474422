// A Cloud API of one number: it tells templates, takes messages, and calls a signed webhook.

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const NUMBER = '106540352242922';
const ACCOUNT = '102290129340398';
const SECRET = '5ebe2294ecd0e0f08eab7690d2a6ee69';

/** @typedef {Record<string, any>} Sent a message as it was handed over */

export class WhatsApp {
  /** What was sent to clients. @type {Sent[]} */
  sent = [];
  /** What the account wrote. @type {object[]} */
  templates = [];
  /** How many of the next askings for templates fail. */
  failures = 0;
  /** @type {((sent: Sent) => void)[]} */
  #awaited = [];
  #count = 0;

  static async start() {
    const whatsapp = new WhatsApp();
    whatsapp.server = createServer((request, response) => void whatsapp.#answer(request, response));
    whatsapp.server.listen(0, '127.0.0.1');
    await once(whatsapp.server, 'listening');
    return whatsapp;
  }

  /** The line. */
  line() {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.server?.address());
    return `
[[line]]
id = "whatsapp"
name = "Shop number"
channel = "whatsapp"
queue = "main"
phone_number_id = "${NUMBER}"
account_id = "${ACCOUNT}"
token = "EAAJB0cV1ZBsBAOtoken"
app_secret = "${SECRET}"
verify_token = "a-word-of-sixteen-letters"
api_url = "http://127.0.0.1:${port}/v23.0"
`;
  }

  /** The next message that is handed over. @returns {Promise<Sent>} */
  next() {
    return new Promise((done) => this.#awaited.push(done));
  }

  /**
   * A client's message comes; it may have been held up on its way.
   * @param {string} gateway
   * @param {string} client
   * @param {object} content with its type
   * @param {number} [hoursAgo] when it was written
   */
  async says(gateway, client, content, hoursAgo = 0) {
    const timestamp = String(Math.floor(Date.now() / 1000) - hoursAgo * 3600);
    const name = `Client ${client}`;
    const value = {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: '15550783881', phone_number_id: NUMBER },
      contacts: [{ profile: { name }, wa_id: client, user_id: `RU.${client}` }],
      messages: [{ from: client, from_user_id: `RU.${client}`, id: this.#name(), timestamp, ...content }],
    };
    const entry = [{ id: ACCOUNT, changes: [{ field: 'messages', value }] }];
    const body = JSON.stringify({ object: 'whatsapp_business_account', entry });
    const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature };
    const { status } = await fetch(`${gateway}hooks/whatsapp`, { method: 'POST', headers, body });
    if (status !== 200) throw new Error(`the webhook answers ${status}`);
  }

  #name() {
    this.#count += 1;
    return `wamid.HBgLNzkxNjEyMzQ1NjcVAgASGBQz${this.#count}==`;
  }

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async #answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const [status, told] = this.#told(new URL(request.url ?? '', 'http://graph').pathname, Buffer.concat(chunks));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(told));
  }

  /** @param {string} path @param {Buffer} body @returns {[number, object]} */
  #told(path, body) {
    switch (path.split('/').at(-1)) {
      case 'message_templates':
        this.failures -= 1;
        return this.failures >= 0 ? [503, {}] : [200, { data: this.templates }];
      case 'media':
        return [200, { id: '1003383421' }];
      case 'messages':
        return [200, this.#take(JSON.parse(body.toString()))];
      default:
        return [200, { id: NUMBER, display_phone_number: '+1 555-078-3881', verified_name: 'Shop', quality_rating: 'GREEN' }];
    }
  }

  /** @param {Sent} message */
  #take(message) {
    // That something was read is no message.
    if (message.status) return { success: true };
    this.sent.push(message);
    this.#awaited.shift()?.(message);
    return { messaging_product: 'whatsapp', messages: [{ id: this.#name(), message_status: 'accepted' }] };
  }

  close() {
    this.server?.closeAllConnections();
    this.server?.close();
  }
}
