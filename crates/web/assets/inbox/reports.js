// Reports: a range of the standard metrics as charts, a table, a file.

import { call } from "./api.js";
import { getState } from "./app.js";
import { drawChart } from "./charts.js";
import { serverNow } from "./clock.js";
import { csv, download } from "./csv.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { language, t } from "./i18n.js";
import { countText, durationText, metricOf, metricText, percentText, valueOf } from "./metric-text.js";
import { Page, table } from "./page.js";
import { dayInput, evenRows, isSense, rangeOf, rowName } from "./report-range.js";
import { COLUMNS, GROUPINGS, IN_TIME, LEVELS, RANGES, TARGETS_S, TILES } from "./report-parts.js";
import { timeZone } from "./wallboard.js";

/** @import { Choice } from "./report-range.js" */
/** @import { GetMetricsResponse, MetricsRow } from "./types/metrics.js" */
/** @import { Key } from "./i18n.js" */

/** @param {string} name */
const label = (name) => t(/** @type {Key} */ (`metric.${name}`));

const VOLUME = ["offered", "answered", "abandoned"];
const WORK = ["answered", "handled"];

/** What was chosen last, as long as the page lives. @type {Choice} */
const choice = { range: "week", first: "", last: "", grouping: "BY_DAY", queueId: "", target: 20 };

class Reports extends Page {
  start() {
    /** @type {GetMetricsResponse | null} */
    this.answer = null;
    this.frame(
      t("page.reports"),
      t("reports.text"),
      this.#button("csv", "reports.csv", () => this.#csv()),
      this.#button("print", "reports.print", () => print()),
    );
    this.form = h("form", { class: "report-form", "aria-label": t("page.reports") });
    this.content?.before(this.form);
    const today = dayInput(new Date(serverNow()));
    choice.first ||= today;
    choice.last ||= today;
    this.#fields();
    this.#read();
    let width = 0;
    const watcher = new ResizeObserver(() => {
      if (Math.abs(this.clientWidth - width) < 4) return;
      width = this.clientWidth;
      if (this.answer) this.#draw();
    });
    watcher.observe(this);
    this.onLeave(() => watcher.disconnect());
  }

  /** @param {string} name @param {Key} key @param {() => void} run */
  #button(name, key, run) {
    return h(
      "button",
      { type: "button", class: "button", onclick: run, "data-testid": `report-${name}` },
      icon(name === "print" ? "file" : "down"),
      t(key),
    );
  }

  #fields() {
    const queues = getState().queueIds.map((id) => getState().queues[id]);
    const own = choice.range === "own";
    replace(
      this.form ?? this,
      this.#select(
        "range",
        RANGES.map((name) => [name, t(`reports.range.${name}`)]),
      ),
      own && this.#date("first", "reports.from"),
      own && this.#date("last", "reports.to"),
      this.#select(
        "grouping",
        GROUPINGS.map((name) => [name, t(/** @type {Key} */ (`reports.${name}`))]),
      ),
      queues.length > 1 &&
        this.#select("queueId", [
          ["", t("wallboard.all")],
          ...queues.map((q) => /** @type {[string, string]} */ ([q.id, q.displayName || q.id])),
        ]),
      this.#select(
        "target",
        TARGETS_S.map((seconds) => [String(seconds), durationText(seconds)]),
      ),
    );
  }

  /** @param {"range" | "grouping" | "queueId" | "target"} name @param {[string, string][]} options */
  #select(name, options) {
    /** @type {Record<string, Key>} */
    const labels = {
      range: "reports.range",
      grouping: "reports.grouping",
      queueId: "reports.queue",
      target: "reports.target",
    };
    const field = h(
      "select",
      {
        id: `report-${name}`,
        "data-testid": `report-${name}`,
        onchange: () => this.#chosen(name, name === "target" ? Number(field.value) : field.value),
      },
      options.map(([value, text]) => h("option", { value }, text)),
    );
    field.value = String(choice[name]);
    return h("div", { class: "field" }, h("label", { for: field.id }, t(labels[name])), field);
  }

  /** @param {"first" | "last"} name @param {Key} key */
  #date(name, key) {
    const field = h("input", {
      id: `report-${name}`,
      type: "date",
      value: choice[name],
      "data-testid": `report-${name}`,
      onchange: () => this.#chosen(name, field.value),
    });
    return h("div", { class: "field" }, h("label", { for: field.id }, t(key)), field);
  }

  /** @param {keyof Choice} name @param {string | number} value */
  #chosen(name, value) {
    Object.assign(choice, { [name]: value });
    if (name === "range") {
      this.#fields();
      /** @type {HTMLElement | null} */ (this.querySelector("#report-range"))?.focus();
    }
    this.#read();
  }

  #read() {
    this.answer = null;
    const range = rangeOf(choice, serverNow());
    if ("error" in range) {
      this.show(h("p", { class: "form-error", role: "alert" }, icon("warning"), t(range.error)));
      return;
    }
    // Whoever chooses quickly gets what was chosen last.
    const asked = {};
    this.asked = asked;
    void this.load(
      () =>
        call("Routing/GetMetrics", {
          from: range.from.toISOString(),
          to: range.to.toISOString(),
          grouping: choice.grouping,
          timeZone: timeZone(),
          queueIds: choice.queueId ? [choice.queueId] : [],
          serviceLevelSeconds: choice.target,
        }),
      (answer) => {
        if (this.asked !== asked) return;
        this.answer = answer;
        this.#draw();
      },
    );
  }

  #draw() {
    if (!this.answer) return;
    if ((this.answer.rows ?? []).length === 0) {
      this.showEmpty("chart", t("reports.none"), t("reports.none.text"));
      return;
    }
    this.show(this.#tiles(), this.#charts(), h("h2", null, t("reports.table")), this.#table(), this.#how());
  }

  #tiles() {
    const total = this.answer?.total;
    const told = TILES.filter((name) => metricOf(total, name));
    return h(
      "dl",
      { class: "tiles tiles-small", "data-testid": "report-tiles" },
      ...told.map((name) =>
        h(
          "div",
          { class: "tile", "data-testid": `total-${name}` },
          h("dt", null, label(name)),
          h("dd", { class: "tile-value" }, metricText(metricOf(total, name))),
        ),
      ),
    );
  }

  /** Whether every row is of one day, so that its hour says enough. */
  #oneDay() {
    return Date.parse(this.answer?.to ?? "") - Date.parse(this.answer?.from ?? "") <= 90_000_000;
  }

  #charts() {
    const { grouping } = choice;
    const people = grouping === "BY_OPERATOR";
    // What nobody has in hand is no colleague's.
    const rows = evenRows(this.answer ?? {}, grouping, serverNow()).filter((row) => !people || row.key);
    const labels = rows.map((row) => rowName(row, grouping, this.#oneDay()));
    const series = (/** @type {string[]} */ ...names) =>
      names.map((name) => ({ name: label(name), values: rows.map((row) => valueOf(row, name)) }));
    const kind = /** @type {"bars" | "lines"} */ (IN_TIME.includes(grouping) ? "lines" : "bars");
    const wide = this.content?.clientWidth ?? 640;
    const style = getComputedStyle(this.content ?? this);
    const inner = wide - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight) - 26;
    const half = inner > 900 ? (inner - 42) / 2 : inner;
    const volume = { title: t("chart.volume"), labels, series: series(...(people ? WORK : VOLUME)) };
    const level = { title: t("chart.level"), labels, series: series("service_level") };
    const times = { title: t("chart.times"), labels, series: series("asa", "frt", "aht") };
    return h(
      "div",
      { class: "charts" },
      drawChart({ ...volume, text: countText, scale: "count", kind: "bars", testid: "chart-volume" }, inner),
      drawChart({ ...level, text: percentText, scale: "part", kind, testid: "chart-level" }, half),
      drawChart({ ...times, text: durationText, scale: "time", kind, testid: "chart-times" }, half),
    );
  }

  #columns() {
    const rows = [this.answer?.total, ...(this.answer?.rows ?? [])];
    // What nobody has a value of is no column.
    return COLUMNS.filter((name) => rows.some((row) => valueOf(row, name) !== null));
  }

  #table() {
    const columns = this.#columns();
    const cells = (/** @type {MetricsRow | undefined} */ row) =>
      columns.map((name) => {
        const told = row === this.answer?.total || isSense(row, choice.grouping, name);
        return h("span", { class: "number" }, told ? metricText(metricOf(row, name)) : "—");
      });
    const rows = (this.answer?.rows ?? []).map((row) => [h("b", null, rowName(row, choice.grouping)), ...cells(row)]);
    rows.push([h("b", null, t("reports.total")), ...cells(this.answer?.total)]);
    const heads = [t(/** @type {Key} */ (`reports.${choice.grouping}`)), ...columns.map(label)];
    return table(t("reports.table"), heads, rows, "report-table");
  }

  #how() {
    const total = this.answer?.total;
    const rows = LEVELS.map((name) => {
      const metric = metricOf(total, name);
      return [
        label(name),
        h("span", { class: "number" }, metricText(metric)),
        h("span", { class: "number" }, `${countText(metric?.numerator ?? 0)} / ${countText(metric?.denominator ?? 0)}`),
        h("code", { class: "wrap" }, metric?.formula ?? ""),
      ];
    });
    const heads = [t("chart.level"), t("reports.value"), t("reports.parts"), t("reports.formula")];
    return h(
      "details",
      { class: "how", "data-testid": "report-how" },
      h("summary", null, t("reports.how")),
      h("p", { class: "muted" }, t("reports.how.text"), " ", t("reports.zone", { zone: timeZone() })),
      table(t("reports.how"), heads, rows, "levels-table"),
    );
  }

  #csv() {
    const rows = this.answer?.rows ?? [];
    if (rows.length === 0) return;
    const names = (this.answer?.total?.metrics ?? []).map((metric) => metric.name);
    const cells = (/** @type {MetricsRow | undefined} */ row) => names.map((name) => valueOf(row, name));
    const lines = rows.map((row) => [row.key || row.startsAt || "", rowName(row, choice.grouping), ...cells(row)]);
    const head = ["key", "name", ...names];
    const total = ["total", t("reports.total"), ...cells(this.answer?.total)];
    const name = `switchboard-${choice.grouping.toLowerCase()}-${dayInput(new Date(serverNow()))}.csv`;
    download(name, csv([head, ...lines, total], language()));
  }
}
customElements.define("sb-reports", Reports);
