// The attacks of attacks.json, each with a canary of its own, and letters that carry them.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { SUPPORT, encoded, letter, part, parts } from './mail.mjs';

/** Where an attack stands in a letter. */
export const PLACES = /** @type {const} */ (['html', 'text', 'subject', 'name', 'file']);

/** @typedef {{ number: number, kind: string, at: (place: typeof PLACES[number]) => string }} Attack */

/** Ways to write something so that it is not recognised. @type {Record<string, (text: string) => string>} */
const WAYS = {
  base64: (text) => Buffer.from(text).toString('base64'),
  url: (text) => encodeURI(text),
  decimal: (text) => [...text].map((c) => `&#${c.codePointAt(0)};`).join(''),
  // Without the semicolon, and with zeros before it.
  hex: (text) => [...text].map((c) => `&#x${c.codePointAt(0)?.toString(16).padStart(7, '0')}`).join(''),
};

/**
 * In the list RUN is what must not run, LOAD an address that must not be loaded, HOST the same without its
 * scheme, and ⟦way text⟧ a text written in one of the ways.
 * @param {string} host where loads are counted
 * @returns {Attack[]}
 */
export function attacks(host) {
  /** @type {Record<string, string[]>} */
  const list = JSON.parse(readFileSync(join(resolve(import.meta.dirname, '..'), 'attacks.json'), 'utf8'));
  const written = Object.entries(list).flatMap(([kind, all]) => all.map((text) => ({ kind, text })));
  return written.map(({ kind, text }, number) => ({
    number,
    kind,
    at: (place) => {
      const id = `${number * 10 + PLACES.indexOf(place)}`;
      const filled = text
        // The binding takes only strings; quotes would break some attacks.
        .replaceAll('RUN', `fired(${id}+[])`)
        .replaceAll('LOAD', `http://${host}/${id}`)
        .replaceAll('HOST', `${host}/${id}`)
        .replaceAll('[ID]', `[${id}+[]]`);
      return filled.replaceAll(/⟦(\w+) ([^⟧]*)⟧/g, (_, way, what) => WAYS[way](what));
    },
  }));
}

/**
 * Hears the canaries of a page's scripts. No script of ours does it: a frame without scripts would complain of it.
 * @param {import('playwright-core').Page} page
 * @param {(id: number) => void} hear
 */
export async function canaries(page, hear) {
  const session = await page.context().newCDPSession(page);
  session.on('Runtime.bindingCalled', ({ name, payload }) => name === 'fired' && hear(Number(payload)));
  await session.send('Runtime.enable');
  await session.send('Runtime.addBinding', { name: 'fired' });
}

/** A letter's own word, to find it by. @param {number} number */
export const word = (number) => `look${number}x`;

/** A letter with an attack in every place. @param {Attack} attack */
export function hostileLetter({ number, at }) {
  const found = `${word(number)} letter `;
  const file = at('file');
  const body = parts('mixed', [
    parts('alternative', [
      part('text/plain; charset=utf-8', found + at('text')),
      part('text/html; charset=utf-8', found + at('html')),
    ]),
    part('text/html', file, [`Content-Disposition: attachment; filename*=utf-8''${encodeURIComponent(file)}`]),
  ]);
  const head = {
    From: `${encoded(at('name'))} <thief${number}@client.test>`,
    To: SUPPORT,
    Subject: encoded(at('subject')),
    'Message-ID': `<attack${number}@client.test>`,
  };
  return letter(head, body);
}

/** What another program hands in, with nothing but HTML. @param {Attack} attack */
export function hostileEvent({ number, at }) {
  const name = `${number} bridge`;
  return {
    lineId: 'bridge',
    eventKey: name,
    messageId: name,
    threadKey: 'thief',
    sender: { identities: [{ kind: 'bridge', issuer: 'bridge', value: 'thief', trust: 'PROVEN' }], displayName: 'Thief' },
    text: { plain: '', html: at('html') },
  };
}
