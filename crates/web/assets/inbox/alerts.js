// What calls an operator back to the page: a sound, a desktop notification, the
// title. Of several tabs only one rings.

import { getState, subscribe } from "./app.js";
import { t } from "./i18n.js";
import { pref } from "./prefs.js";
import { attention } from "./selectors.js";

/** @type {AudioContext | null} */
let audio = null;

// Browsers let a page sound only after a gesture.
function unlock() {
  audio ??= new AudioContext();
  void audio.resume();
}
window.addEventListener("pointerdown", unlock, { once: true });
window.addEventListener("keydown", unlock, { once: true });

/** @param {number[]} notes in hertz, one after another */
function beep(notes) {
  if (!audio || audio.state !== "running" || !pref("sound")) return;
  const context = audio;
  notes.forEach((pitch, i) => {
    const at = context.currentTime + i * 0.16;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.type = "sine";
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.14, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.22);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.24);
  });
}

/**
 * Rings in this tab unless another one does: the first to get the lock of this
 * cause rings; a tab that cannot sound yet lets the others go first.
 *
 * @param {string} cause
 * @param {() => void} action
 */
function onlyOneTab(cause, action) {
  const delayMs = audio?.state === "running" ? 0 : 300;
  setTimeout(() => {
    if (!navigator.locks) {
      action();
      return;
    }
    void navigator.locks.request(`switchboard.ring.${cause}`, { ifAvailable: true }, (lock) => {
      if (!lock) return undefined;
      action();
      return new Promise((resolve) => setTimeout(resolve, 3000));
    });
  }, delayMs);
}

/**
 * @param {string} tag the newest of one tag replaces the older
 * @param {string} title
 * @param {string} body
 * @param {() => void} onOpen
 */
function notify(tag, title, body, onOpen) {
  if (!pref("desktop") || typeof Notification === "undefined" || Notification.permission !== "granted") return;
  const notification = new Notification(title, { body, tag, icon: "/favicon.svg" });
  notification.onclick = () => {
    window.focus();
    onOpen();
    notification.close();
  };
}

/** @returns {Promise<boolean>} whether the browser lets us */
export async function allowDesktop() {
  if (typeof Notification === "undefined") return false;
  return (await Notification.requestPermission()) === "granted";
}

/** @param {string} offerId @param {string} name @param {string} text @param {() => void} onOpen */
export function ringOffer(offerId, name, text, onOpen) {
  onlyOneTab(offerId, () => {
    beep([660, 880, 660, 880]);
    notify(`offer-${offerId}`, t("offer.notification", { name }), text, onOpen);
  });
}

/** @param {string} messageId @param {string} name @param {string} text @param {() => void} onOpen */
export function ringMessage(messageId, name, text, onOpen) {
  onlyOneTab(messageId, () => {
    if (document.hasFocus()) return;
    beep([740]);
    notify(`message-${name}`, name, text, onOpen);
  });
}

/** @param {string} messageId @param {string} title @param {string} text @param {() => void} onOpen */
export function ringMention(messageId, title, text, onOpen) {
  onlyOneTab(messageId, () => {
    beep([880, 740]);
    notify(`mention-${messageId}`, title, text, onOpen);
  });
}

/** @param {string} id @param {string} notice @param {string} title @param {string} text @param {() => void} onOpen */
export function ringPromise(id, notice, title, text, onOpen) {
  onlyOneTab(`${id}-${notice}`, () => {
    beep([520, 660]);
    notify(`promise-${id}`, title, text, onOpen);
  });
}

function retitle() {
  const { offers, unread, due } = attention(getState());
  const count = offers + unread + due;
  const title = offers > 0 ? t("title.offer") : t("title.inbox");
  const text = `${count > 0 ? `(${count}) ` : ""}${title} · Switchboard`;
  if (document.title !== text) document.title = text;
  const badge = /** @type {any} */ (navigator);
  if (count > 0) badge.setAppBadge?.(count)?.catch?.(() => {});
  else badge.clearAppBadge?.()?.catch?.(() => {});
}

/** Keeps the title in step with what waits for the operator. */
export function watchTitle() {
  subscribe(retitle);
  retitle();
}
