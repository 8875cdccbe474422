// What a report can be of, and what it shows.

/** @import { RangeName } from "./report-range.js" */
/** @import { Grouping } from "./types/metrics.js" */

/** @type {RangeName[]} */
export const RANGES = ["today", "yesterday", "week", "month", "quarter", "own"];
/** @type {Grouping[]} */
export const GROUPINGS = ["BY_HOUR", "BY_DAY", "BY_HOUR_OF_DAY", "BY_QUEUE", "BY_LINE", "BY_CHANNEL", "BY_OPERATOR"];
export const TARGETS_S = [10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800, 3600, 14_400, 28_800, 86_400];
export const TILES = [
  "offered",
  "answered",
  "abandonment_rate",
  "service_level",
  "asa",
  "aht",
  "frt",
  "occupancy",
  "csat",
];
export const LEVELS = [
  "service_level",
  "service_level_of_answered",
  "service_level_all_in_time",
  "service_level_late_abandons",
  "service_level_short_abandons",
];
export const COLUMNS = [
  "offered",
  "answered",
  "abandoned",
  "abandonment_rate",
  "service_level",
  "asa",
  "frt",
  "aht",
  "handled",
  "transfer_rate",
  "rona_rate",
  "reopen_rate",
  "messages_in",
  "messages_out",
  "promise_kept_rate",
  "csat",
  "occupancy",
  "capacity_utilization",
];
/** Groups that go on in time. @type {Grouping[]} */
export const IN_TIME = ["BY_HOUR", "BY_DAY", "BY_HOUR_OF_DAY"];
