// A server somewhere else, that nobody should be led to unasked.

import { once } from 'node:events';
import { createServer } from 'node:http';

const PICTURE = Buffer.from('R0lGODlhAQABAIAAAP8AAAAAACwAAAAAAQABAAACAkQBADs=', 'base64');

/** @typedef {{ path: string, kind: string, cookie: string, referer: string }} Hit */

export class Elsewhere {
  /** What was asked for. @type {Hit[]} */
  hits = [];
  /** Connections, also those on which nothing was asked. */
  connections = 0;
  /** Its own pages by path. @type {Map<string, string>} */
  pages = new Map();

  static async start() {
    const elsewhere = new Elsewhere();
    elsewhere.server = createServer((request, response) => elsewhere.#answer(request, response));
    elsewhere.server.on('connection', () => (elsewhere.connections += 1));
    elsewhere.server.listen(0, '127.0.0.1');
    await once(elsewhere.server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (elsewhere.server.address());
    elsewhere.host = `127.0.0.1:${port}`;
    elsewhere.url = `http://${elsewhere.host}/`;
    return elsewhere;
  }

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  #answer({ url = '', headers }, response) {
    const page = this.pages.get(url);
    if (page !== undefined) {
      response.setHeader('content-type', 'text/html').end(page);
      return;
    }
    const kind = String(headers['sec-fetch-dest'] ?? '');
    if (url !== '/favicon.ico') this.hits.push({ path: url, kind, cookie: headers.cookie ?? '', referer: headers.referer ?? '' });
    response.setHeader('cache-control', 'no-store').setHeader('content-type', 'image/gif').end(PICTURE);
  }

  async close() {
    this.server?.closeAllConnections();
    this.server?.close();
  }
}
