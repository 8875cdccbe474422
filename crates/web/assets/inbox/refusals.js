// What the server refuses, in the reader's words.

import { ApiError } from "./api.js";
import { isKey, sizeText, t } from "./i18n.js";

/**
 * Says a reason of the server's by its code; empty where there are no words for it.
 *
 * @param {{ reason: string, values: Record<string, string> }} refusal
 */
export function refusalText({ reason, values }) {
  const key = `refusal.${reason}`;
  if (!reason || !isKey(key)) return "";
  const { max, seconds = max, bytes } = values;
  return t(key, {
    ...values,
    ...(seconds === undefined ? {} : { n: seconds }),
    ...(bytes === undefined ? {} : { size: sizeText(bytes) }),
  });
}

/** Why a call failed. @param {unknown} error @returns {string} */
export function errorText(error) {
  if (!(error instanceof ApiError)) return t("error.other");
  if (error.code === "offline") return t("error.offline");
  const refused = refusalText(error);
  if (refused) return refused;
  if (error.code === "resource_exhausted") return error.message || t("error.busy");
  if (error.code === "permission_denied") return t("error.denied");
  if (error.code === "unavailable" || error.code === "deadline_exceeded") return t("error.unavailable");
  return error.message || t("error.other");
}
