// Calls of the server by the Connect protocol, and uploads.

/** @import { Calls, Upload } from "./types/api.js" */

const PACKAGES = {
  Inbox: "switchboard.inbox.v1",
  ContactDirectory: "switchboard.contacts.v1",
  Routing: "switchboard.routing.v1",
  Admin: "switchboard.admin.v1",
};

// Longer than any answer of ours, shorter than an operator's patience.
const CALL_TIMEOUT_MS = 20_000;

export const FEED_URL = "/switchboard.inbox.v1.Inbox/Subscribe";

/** @typedef {{ reason?: string, values?: Record<string, string> }} Refusal */

/**
 * A call that failed: `code` is Connect's, "offline" when no answer came. `reason` is the server's own
 * word for why, with the values that belong to it; empty where it gives none.
 */
export class ApiError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {Refusal} [refusal]
   */
  constructor(code, message, { reason = "", values = {} } = {}) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.reason = reason;
    this.values = values;
  }

  /** Whether the same call may do better later. */
  get transient() {
    return ["offline", "unavailable", "deadline_exceeded", "resource_exhausted"].includes(this.code);
  }
}

/** @type {() => void} */
let onSignedOut = () => {};

/** @param {() => void} handler called when the session is found to be over */
export function whenSignedOut(handler) {
  onSignedOut = handler;
}

/** A fresh id of a mutating call. */
export function clientId() {
  return (
    crypto.randomUUID?.() ??
    Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16).padStart(8, "0")).join("")
  );
}

/**
 * @template {keyof Calls} M
 * @param {M} method
 * @param {Calls[M][0]} request
 * @param {{ signal?: AbortSignal, keepalive?: boolean }} [options]
 * @returns {Promise<Calls[M][1]>}
 */
export async function call(method, request, options = {}) {
  const [service] = /** @type {[keyof typeof PACKAGES]} */ (method.split("/"));
  const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  let response;
  try {
    response = await fetch(`/${PACKAGES[service]}.${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", "connect-protocol-version": "1" },
      body: JSON.stringify(request),
      credentials: "same-origin",
      keepalive: options.keepalive ?? false,
      signal,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError("offline", String(error));
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  const code = body?.code ?? codeOfStatus(response.status);
  if (code === "unauthenticated" && method !== "Admin/Login") onSignedOut();
  throw new ApiError(code, body?.message ?? "", refusalIn(body?.details));
}

/** @param {{ type?: string, debug?: { reason?: string, metadata?: Record<string, string> } }[]} [details] @returns {Refusal} */
function refusalIn(details = []) {
  const info = details.find(({ type }) => type === "google.rpc.ErrorInfo")?.debug;
  return { reason: info?.reason, values: info?.metadata };
}

/** @param {number} status */
function codeOfStatus(status) {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "permission_denied";
  if (status === 404) return "unimplemented";
  if (status === 413) return "out_of_range";
  if (status === 429) return "resource_exhausted";
  return "unavailable";
}

/**
 * Uploads one file. XMLHttpRequest, because fetch does not tell progress.
 *
 * @param {File} file
 * @param {(done: number) => void} onProgress from 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<Upload>}
 */
export function upload(file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/uploads");
    request.responseType = "json";
    request.setRequestHeader("x-file-name", encodeURIComponent(file.name));
    request.setRequestHeader("content-type", file.type || "application/octet-stream");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300 && request.response) {
        resolve(request.response);
      } else {
        const { message = "", ...refusal } = request.response ?? {};
        reject(new ApiError(codeOfStatus(request.status), message, refusal));
      }
    };
    request.onerror = () => reject(new ApiError("offline", ""));
    request.onabort = () => reject(new ApiError("canceled", ""));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}
