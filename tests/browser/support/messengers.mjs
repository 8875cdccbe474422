// Every messenger's server, and the clients on it.

import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '../../..');
const PROGRAM = process.env.MESSENGERS_BIN ?? join(ROOT, 'target/debug/messengers');

export class Messengers {
  /** Where the gateway is. */
  gateway = '';
  /** Its lines. */
  config = '';

  static async start() {
    const messengers = new Messengers();
    messengers.process = spawn(PROGRAM, { stdio: ['pipe', 'pipe', 'inherit'] });
    messengers.answers = createInterface({ input: messengers.process.stdout })[Symbol.asyncIterator]();
    messengers.config = (await messengers.#answer()).config;
    return messengers;
  }

  /**
   * Something happens on a platform: how it is called stands in the program.
   * @param {string} platform
   * @param {string} act
   * @param {any} [what]
   * @param {number} [client]
   */
  async happens(platform, act, what = null, client = 0) {
    const gateway = this.gateway.replace(/\/$/, '');
    this.process?.stdin.write(`${JSON.stringify({ platform, gateway, client, [act]: what })}\n`);
    const answer = await this.#answer();
    if (answer.error) throw new Error(`${platform}: ${answer.error}`);
    return answer;
  }

  /** @returns {Promise<any>} */
  async #answer() {
    const { value, done } = (await this.answers?.next()) ?? { done: true };
    if (done) throw new Error('the messengers have ended');
    return JSON.parse(value);
  }

  close() {
    this.process?.kill();
  }
}
