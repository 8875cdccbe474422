// Files on their way into a message: each uploads at once and shows how far it is.

import { ApiError, upload } from "./api.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { sizeText, t } from "./i18n.js";
import { iconButton } from "./menu.js";
import { errorText } from "./refusals.js";
import { toast } from "./toasts.js";

/** @import { PendingMessage } from "./types/state.js" */

// As SendMessage takes.
const FILES_MAX = 10;

/**
 * @typedef {object} Entry
 * @property {File} file
 * @property {number} done from 0 to 1
 * @property {PendingMessage["uploads"][number] | null} result
 * @property {string} error
 * @property {AbortController} abort
 */

/** The tray of one composer. */
export class Uploads {
  /** @type {Entry[]} */
  entries = [];

  /**
   * @param {HTMLElement} tray
   * @param {() => number} bytesMax 0 for no limit known
   * @param {() => void} onChange
   */
  constructor(tray, bytesMax, onChange) {
    this.tray = tray;
    this.bytesMax = bytesMax;
    this.onChange = onChange;
  }

  /** Whether something is still on its way. */
  get busy() {
    return this.entries.some((e) => !e.result && !e.error);
  }

  /** @returns {PendingMessage["uploads"]} */
  get results() {
    return this.entries.flatMap((e) => (e.result ? [e.result] : []));
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      if (this.entries.length >= FILES_MAX) {
        toast({ text: t("upload.tooMany", { n: FILES_MAX }), kind: "error" });
        break;
      }
      const most = this.bytesMax();
      if (most > 0 && file.size > most) {
        toast({ text: t("upload.tooBig", { name: file.name, size: sizeText(most) }), kind: "error" });
        continue;
      }
      /** @type {Entry} */
      const entry = { file, done: 0, result: null, error: "", abort: new AbortController() };
      this.entries.push(entry);
      void this.#start(entry);
    }
    this.draw();
  }

  /** Empties the tray; what was uploaded stays uploaded. */
  clear() {
    for (const entry of this.entries) if (!entry.result) entry.abort.abort();
    this.entries = [];
    this.draw();
  }

  /** @param {Entry} entry */
  async #start(entry) {
    entry.error = "";
    entry.done = 0;
    this.draw();
    try {
      const answer = await upload(
        entry.file,
        (done) => {
          entry.done = done;
          const bar = this.tray.querySelectorAll("progress")[this.entries.indexOf(entry)];
          if (bar) bar.value = done;
        },
        entry.abort.signal,
      );
      entry.result = {
        uploadId: answer.uploadId,
        fileName: answer.fileName ?? entry.file.name,
        mediaType: answer.mediaType ?? entry.file.type,
        sizeBytes: String(answer.sizeBytes ?? entry.file.size),
      };
    } catch (error) {
      if (error instanceof ApiError && error.code === "canceled") return;
      entry.error = errorText(error);
    }
    this.draw();
  }

  /** @param {Entry} entry */
  #remove(entry) {
    entry.abort.abort();
    this.entries = this.entries.filter((e) => e !== entry);
    this.draw();
  }

  draw() {
    this.tray.hidden = this.entries.length === 0;
    replace(
      this.tray,
      this.entries.map((entry) =>
        h(
          "div",
          { class: `upload${entry.error ? " failed" : ""}`, "data-testid": "upload" },
          icon(entry.error ? "warning" : entry.result ? "check" : "file"),
          h(
            "span",
            { class: "upload-text" },
            h("span", { class: "chip-name" }, entry.file.name),
            entry.error ? h("small", null, entry.error) : h("small", null, sizeText(entry.file.size)),
            h("progress", {
              max: 1,
              value: entry.result ? 1 : entry.done,
              hidden: Boolean(entry.result || entry.error),
              "aria-label": t("upload.progress", { name: entry.file.name }),
            }),
          ),
          entry.error &&
            iconButton("refresh", t("retry"), {
              onclick: () => {
                entry.abort = new AbortController();
                void this.#start(entry);
              },
            }),
          iconButton("close", t("upload.remove", { name: entry.file.name }), { onclick: () => this.#remove(entry) }),
        ),
      ),
    );
    this.onChange();
  }
}

/**
 * Takes files that are dropped on a pane or pasted into its text.
 *
 * @param {object} options
 * @param {HTMLElement} options.zone
 * @param {HTMLElement} options.text
 * @param {(on: boolean) => void} options.mark shows that a drop would be taken
 * @param {() => boolean} options.allowed
 * @param {(files: Iterable<File>) => void} options.add
 * @returns {() => void} ends it
 */
export function acceptFiles({ zone, text, mark, allowed, add }) {
  const stop = new AbortController();
  const { signal } = stop;
  text.addEventListener(
    "paste",
    (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0 || !allowed()) return;
      event.preventDefault();
      add(files);
    },
    { signal },
  );
  zone.addEventListener(
    "dragover",
    (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = allowed() ? "copy" : "none";
      mark(allowed());
    },
    { signal },
  );
  zone.addEventListener(
    "dragleave",
    (event) => {
      if (!zone.contains(/** @type {Node | null} */ (event.relatedTarget))) mark(false);
    },
    { signal },
  );
  zone.addEventListener(
    "drop",
    (event) => {
      mark(false);
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      if (allowed()) add(event.dataTransfer.files);
    },
    { signal },
  );
  return () => stop.abort();
}
