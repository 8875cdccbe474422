// The metrics as JSON.

import type { Queue, Time } from "./api.js";

export type Activity = "BUSY" | "IDLE" | "MISSING_OFFERS" | "ON_A_BREAK" | "NOT_AT_WORK";
export interface QueueToday {
  offered?: number;
  answered?: number;
  abandoned?: number;
  serviceLevel?: number;
  serviceLevelSeconds?: number;
  asaSeconds?: number;
}
export interface OperatorNow {
  operatorId: string;
  displayName?: string;
  activity?: Activity;
  since?: Time;
  awayReason?: string;
  load?: number;
  capacity?: number;
  queueIds?: string[];
}
export interface WatchQueuesResponse {
  queues?: Queue[];
  operators?: OperatorNow[];
}
export type Grouping =
  | "BY_HOUR"
  | "BY_DAY"
  | "BY_HOUR_OF_DAY"
  | "BY_QUEUE"
  | "BY_LINE"
  | "BY_CHANNEL"
  | "BY_OPERATOR";
export interface Metric {
  name: string;
  value?: number;
  numerator?: number;
  denominator?: number;
  formula: string;
  unit: "count" | "seconds" | "ratio" | "score";
}
export interface MetricsRow {
  key?: string;
  startsAt?: Time;
  metrics?: Metric[];
}
export interface GetMetricsRequest {
  from: Time;
  to: Time;
  grouping?: Grouping;
  timeZone?: string;
  queueIds?: string[];
  serviceLevelSeconds?: number;
}
export interface GetMetricsResponse {
  rows?: MetricsRow[];
  total?: MetricsRow;
  from?: Time;
  to?: Time;
  serviceLevelSeconds?: number;
}
