// Files of a message: pictures in place, everything else as a chip.

import { freshLinks, toastError } from "./actions.js";
import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { sizeText, t } from "./i18n.js";

/** @import { Attachment, Message } from "./types/api.js" */

// What the server's type table lets a browser draw; never SVG.
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** Links were refused once for these messages; no second automatic try. @type {Set<string>} */
const renewed = new Set();

/** @param {Attachment} a */
const isPicture = (a) => PICTURES.includes(a.mediaType ?? "") && Boolean(a.url);

/** @param {Message} message */
export function drawAttachments(message) {
  const all = message.attachments ?? [];
  return h(
    "div",
    { class: all.filter(isPicture).length > 1 ? "attachments album" : "attachments" },
    all.map((a, i) => (isPicture(a) ? picture(message, a, i) : chip(message, a, i))),
  );
}

/**
 * Saves a file by a link that is still good.
 *
 * @param {Message} message
 * @param {number} index
 */
async function save(message, index) {
  try {
    const file = (await freshLinks(message)).attachments?.[index];
    if (file?.url) h("a", { href: file.url, download: file.fileName ?? "", rel: "noopener" }).click();
  } catch (error) {
    toastError(error);
  }
}

/** Shows a picture large. @param {Message} message @param {number} index */
async function enlarge(message, index) {
  try {
    const file = (await freshLinks(message)).attachments?.[index];
    const name = file?.fileName || t("message.picture");
    openDialog({
      title: name,
      wide: "wide",
      testid: "picture-dialog",
      cancel: false,
      body: [h("img", { class: "large-picture", src: file?.url, alt: name })],
      buttons: [
        h(
          "button",
          { type: "button", class: "button", onclick: () => void save(message, index) },
          icon("down"),
          t("attachment.save"),
        ),
      ],
    });
  } catch (error) {
    toastError(error);
  }
}

/** @param {Message} message @param {Attachment} a @param {number} index */
function picture(message, a, index) {
  const name = a.fileName ?? t("message.picture");
  const img = h("img", { src: a.url, alt: name, loading: "lazy", decoding: "async" });
  img.addEventListener("error", () => {
    const key = `${message.id} ${index}`;
    if (renewed.has(key)) {
      img.closest(".picture")?.replaceWith(chip(message, a, index));
      return;
    }
    renewed.add(key);
    freshLinks(message, true).catch(() => img.closest(".picture")?.replaceWith(chip(message, a, index)));
  });
  return h(
    "button",
    {
      type: "button",
      class: "picture",
      "aria-label": t("attachment.open", { name }),
      onclick: () => void enlarge(message, index),
      "data-testid": "attachment",
    },
    img,
  );
}

/** @param {Message} message @param {Attachment} a @param {number} index */
function chip(message, a, index) {
  const name = a.fileName || t("message.attachment");
  const ready = Boolean(a.url || a.sha256);
  const waiting = t(a.problem ? "attachment.missing" : "attachment.pending");
  return h(
    "button",
    {
      type: "button",
      class: "chip",
      disabled: !ready,
      onclick: () => void save(message, index),
      title: a.problem || t("attachment.saveName", { name }),
      "data-testid": "attachment",
    },
    icon("file"),
    h("span", { class: "chip-name" }, name),
    h("small", null, ready ? sizeText(a.sizeBytes) : waiting),
  );
}
