// A client's side of the mail: a mailbox that the gateway reads, and a server that takes its letters.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '../../..');
const MODULES = join(ROOT, 'target/xtask/node/node_modules');

/** The line's address. */
export const SUPPORT = 'help@shop.test';

/** @typedef {{ from: string, to: string[], head: Record<string, string>, raw: string }} Sent */

export class Mail {
  /** Letters that the gateway handed over. @type {Sent[]} */
  sent = [];
  /** @type {((letter: Sent) => void)[]} */
  #awaited = [];

  static async start() {
    const mail = new Mail();
    mail.imap = spawn('node', [join(ROOT, 'tests/src/mail/hoodiecrow.js')], {
      env: { ...process.env, NODE_PATH: process.env.NODE_PATH ?? MODULES },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [told] = await once(createInterface({ input: mail.imap.stdout }), 'line');
    mail.imap.stdout.resume();
    mail.port = told.split(' ')[1];
    mail.smtp = createServer((socket) => mail.#take(socket)).listen(0, '127.0.0.1');
    await once(mail.smtp, 'listening');
    return mail;
  }

  /** The line of mail, by the name of `mail`. */
  line() {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.smtp?.address());
    const here = (/** @type {string | number | undefined} */ at) => `host = "127.0.0.1"\nport = ${at}\nsecurity = "none"`;
    return `
[[line]]
id = "mail"
name = "Shop mail"
channel = "email"
queue = "main"
address = "${SUPPORT}"

[[line.mailbox]]
${here(this.port)}
user = "testuser"
password = "testpass"
history = "all"
poll_secs = 1

[line.smtp]
${here(port)}
login = false
sent = "none"
`;
  }

  /** A letter comes. @param {string} raw */
  deliver(raw) {
    this.imap?.stdin.write(`${Buffer.from(raw).toString('base64')}\n`);
  }

  /** The next letter that the gateway hands over. @returns {Promise<Sent>} */
  next() {
    return new Promise((done) => this.#awaited.push(done));
  }

  /** Speaks SMTP, and takes everything. @param {import('node:net').Socket} socket */
  #take(socket) {
    let heard = '';
    let from = '';
    /** @type {string[]} */
    let to = [];
    let inLetter = false;
    const say = (/** @type {string} */ line) => socket.write(`${line}\r\n`);
    const command = (/** @type {string} */ line) => {
      const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
      switch (line.slice(0, 4).toUpperCase()) {
        case 'EHLO':
          return say('250-mail\r\n250-8BITMIME\r\n250 SMTPUTF8');
        case 'MAIL':
          [from, to] = [address, []];
          return say('250 ok');
        case 'RCPT':
          to.push(address);
          return say('250 ok');
        case 'DATA':
          inLetter = true;
          return say('354 go on');
        case 'QUIT':
          say('221 bye');
          return socket.end();
        default:
          return say('250 ok');
      }
    };
    socket.setEncoding('utf8').on('data', (text) => {
      heard += text;
      for (;;) {
        const end = heard.indexOf(inLetter ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const said = heard.slice(0, end);
        heard = heard.slice(end + (inLetter ? 5 : 2));
        if (!inLetter) {
          command(said);
          continue;
        }
        inLetter = false;
        const letter = { from, to, head: headOf(said), raw: said };
        this.sent.push(letter);
        this.#awaited.shift()?.(letter);
        say('250 taken');
      }
    });
    socket.on('error', () => {});
    say('220 mail');
  }

  async close() {
    this.imap?.stdin.end();
    this.smtp?.close();
  }
}

/** The fields of a letter by their names in small letters. @param {string} raw */
function headOf(raw) {
  const [head] = raw.split('\r\n\r\n', 1);
  const fields = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  return Object.fromEntries(
    fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim()]),
  );
}

/** A text as it may stand in a field. @param {string} text */
export function encoded(text) {
  // Whole characters in each word, which has at most 75.
  const words = [];
  for (const character of text) {
    const last = words.at(-1);
    if (last !== undefined && Buffer.byteLength(last + character) <= 42) words[words.length - 1] += character;
    else words.push(character);
  }
  return words.map((word) => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}

/**
 * A part of a letter.
 * @param {string} type
 * @param {string | Buffer} content
 * @param {string[]} [more] fields
 */
export function part(type, content, more = []) {
  const lines = Buffer.from(content).toString('base64').match(/.{1,76}/g) ?? [];
  return [`Content-Type: ${type}`, 'Content-Transfer-Encoding: base64', ...more, '', ...lines].join('\r\n');
}

/**
 * Several parts as one.
 * @param {string} kind such as "mixed"
 * @param {string[]} parts
 */
export function parts(kind, parts) {
  const boundary = `part-of-${kind}`;
  const all = parts.map((one) => `--${boundary}\r\n${one}\r\n`).join('');
  return `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\n${all}--${boundary}--\r\n`;
}

/**
 * A whole letter.
 * @param {Record<string, string>} head
 * @param {string} body with its type
 */
export function letter(head, body) {
  const fields = Object.entries({ Date: new Date().toUTCString().replace('GMT', '+0000'), 'MIME-Version': '1.0', ...head });
  return `${fields.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n${body}`;
}
