// Calls come as lines of JSON, behind what the line is configured with; what a program made
// of each is told in a line.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';

/** @typedef {{ headers: Record<string, string>, body: string }} Call */
/** @typedef {{ sender: string, text?: string, kind: string, at?: string }} Heard */

/** NODE_PATH is heard by `require` only. */
export const required = createRequire(import.meta.url);

const lines = readFileSync(0, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));

/** What the line is configured with. */
export const options = lines.shift();

/** @type {Heard | undefined} */
let heard;

/**
 * Writes down what a program understood.
 * @param {unknown} sender
 * @param {string | undefined} text
 * @param {string} kind
 * @param {number | undefined} ms when it was said, where that is told
 */
export function hears(sender, text, kind, ms) {
  const at = Number.isFinite(ms) ? new Date(/** @type {number} */ (ms)).toISOString() : undefined;
  heard = { sender: String(sender), text, kind, at };
}

/**
 * Hands every call over, and tells what became of it: the status it is answered with, 0 when
 * it is not answered at all.
 * @param {(call: Call) => Promise<number>} answer
 */
export async function listen(answer) {
  for (const call of lines) {
    heard = undefined;
    try {
      const status = await answer(call);
      console.log(JSON.stringify({ status, ...heard }));
    } catch (error) {
      console.log(JSON.stringify({ status: 0, error: String(error) }));
    }
  }
}

/**
 * Has a call served as Node's own server has it.
 * @param {(request: any, response: any) => unknown} serve
 * @returns {(call: Call) => Promise<number>}
 */
export function served(serve) {
  return async ({ headers, body }) => {
    const request = Readable.from([Buffer.from(body)]);
    Object.assign(request, { method: 'POST', url: '/', headers });
    let status = 200;
    let answered = 0;
    const ended = new Promise((resolve) => {
      const response = {
        writeHead(/** @type {number} */ code) {
          status = code;
          return response;
        },
        end() {
          answered = status;
          resolve(undefined);
        },
      };
      // Who promises nothing answers when all has come.
      const promised = serve(request, response);
      if (promised) resolve(promised);
    });
    await ended;
    // Some answer first, and look at what came then.
    await new Promise(setImmediate);
    return answered;
  };
}
