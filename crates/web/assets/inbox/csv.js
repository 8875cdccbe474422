// Tables as files.

// A table program takes what begins like this for a formula, and runs it.
const FORMULA = /^[=+\-@\t\r\n]/;

/** A cell that no table program takes for a formula. @param {string | number | null} cell @param {string} separator */
function csvCell(cell, separator) {
  if (cell === null) return "";
  // Where the comma separates nothing, it is the decimal sign.
  if (typeof cell === "number") return separator === ";" ? String(cell).replace(".", ",") : String(cell);
  const text = FORMULA.test(cell.trimStart()) || FORMULA.test(cell) ? `'${cell}` : cell;
  return /["\r\n,;\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * A table as CSV, by the custom of the language: with semicolons and decimal commas in Russian.
 *
 * @param {(string | number | null)[][]} rows
 * @param {string} tongue
 */
export function csv(rows, tongue) {
  const separator = tongue === "ru" ? ";" : ",";
  const lines = rows.map((row) => row.map((cell) => csvCell(cell, separator)).join(separator));
  return `${lines.join("\r\n")}\r\n`;
}

/** Gives a text to the browser as a file. @param {string} name @param {string} text */
export function download(name, text) {
  // Table programs read UTF-8 only with its mark.
  const blob = new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
