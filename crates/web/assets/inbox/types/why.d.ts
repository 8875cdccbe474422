// The router's explanations and its proof, as the contract's JSON has them.

import type { Offer, Time } from "./api.js";

export interface CandidateKeys {
  operatorId: string;
  load?: number;
  capacity?: number;
  idleSince?: Time;
  open?: number;
  turn?: string;
  position?: number;
}
export interface Exclusion {
  rule?: string;
  operatorIds?: string[];
}
export interface ExplainOfferResponse {
  offer?: Offer;
  band?: number;
  eligibleAt?: Time;
  seq?: string;
  round?: number;
  chosen?: CandidateKeys;
  runnerUp?: CandidateKeys;
  excluded?: Exclusion[];
  cause?: string;
  strategy?: string;
  decidedAt?: Time;
  skills?: string[];
}
export interface WhyStillWaitingResponse {
  at?: Time;
  conversationId?: string;
  queueId?: string;
  strategy?: string;
  band?: number;
  bandNow?: number;
  liftedAt?: Time;
  eligibleAt?: Time;
  round?: number;
  position?: number;
  ahead?: number;
  staffed?: number;
  pausedUntil?: Time;
  held?: { operatorId?: string; until?: Time };
  skills?: string[];
  relaxesAt?: Time;
  skillsThen?: string[];
  members?: Exclusion[];
  next?: { operator?: CandidateKeys; free?: boolean; before?: number };
  leadsOnAt?: Time;
  offerId?: string;
  partial?: boolean;
}
export interface QueueHead {
  conversationId?: string;
  eligibleAt?: Time;
  why?: string;
  missingSkills?: string[];
  operatorId?: string;
  until?: Time;
  queueId?: string;
}
export interface QueueOutlook {
  queueId?: string;
  rank?: number;
  strategy?: string;
  waiting?: number;
  beforeMe?: number;
  head?: QueueHead;
}
export interface WhyNotMeResponse {
  at?: Time;
  operator?: CandidateKeys;
  barred?: string;
  coolDownUntil?: Time;
  queues?: QueueOutlook[];
  partial?: boolean;
}
export interface Violation {
  law?: string;
  at?: Time;
  conversationId?: string;
  operatorId?: string;
  detail?: string;
}
export interface GetProofResponse {
  since?: Time;
  lookedAt?: Time;
  offers?: string;
  offersNotJudged?: string;
  offersInPart?: string;
  rows?: string;
  laws?: { name?: string; violations?: string }[];
  violations?: Violation[];
}

export interface WhyCalls {
  "Routing/ExplainOffer": [{ offerId?: string; conversationId?: string }, ExplainOfferResponse];
  "Routing/WhyStillWaiting": [{ conversationId: string }, WhyStillWaitingResponse];
  "Routing/WhyNotMe": [{ operatorId?: string }, WhyNotMeResponse];
  "Routing/GetProof": [{}, GetProofResponse];
}
