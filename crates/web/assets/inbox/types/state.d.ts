// What the store holds and what may happen to it.

import type {
  Contact,
  ContactSuggestion,
  Conversation,
  ConversationScore,
  Folder,
  GetConversationResponse,
  GetMeResponse,
  Identity,
  LetterToSend,
  LineSummary,
  ListConversationsResponse,
  ListTimelineResponse,
  Message,
  Obligation,
  Offer,
  Operator,
  QueueSummary,
  Rating,
  SubscribeResponse,
  TemplateToSend,
} from "./api.js";

export type Status = "idle" | "loading" | "ready" | "failed";
export type Connection = "connecting" | "online" | "offline";

export interface ListState {
  status: Status;
  error?: string;
  nextPageToken: string;
  /** The last conversation of the loaded window, while more follow. */
  edge: Conversation | null;
}
export interface TimelineState {
  status: Status;
  error?: string;
  /** In order of time. */
  messages: Message[];
  conversations: Record<string, Conversation>;
  nextPageToken: string;
  loadingOlder: boolean;
}
export interface DetailState {
  /** `gone` went out of sight while it was open. */
  status: Status | "gone";
  error?: string;
  contactId: string;
  suggestions: ContactSuggestion[];
  history: Conversation[];
  sender: Identity | null;
  /** Whether the sender is kept out. */
  blocked: boolean;
}
export interface PendingMessage {
  clientId: string;
  conversationId: string;
  note: boolean;
  text: string;
  uploads: { uploadId: string; fileName: string; mediaType: string; sizeBytes: string; previewUrl?: string }[];
  replyToMessageId: string;
  /** Whom a note names. */
  mentions?: string[];
  /** The canned replies it was made of. */
  cannedReplyIds?: string[];
  /** Whom a letter goes to and what it is about. */
  letter?: LetterToSend;
  /** The answers that the client may give by a press; a template's own buttons with one. */
  buttons?: string[];
  /** What the words were made of, if they are a template's. */
  template?: TemplateToSend;
  createdAt: string;
  status: "sending" | "failed";
  error?: string;
}
export type Phase = "starting" | "signedOut" | "setUp" | "ready" | "failed";
export interface State {
  phase: Phase;
  phaseError: string;
  me: Operator | null;
  operators: Record<string, Operator>;
  queues: Record<string, QueueSummary>;
  queueIds: string[];
  /** Queues whose conversations the operator does not see. */
  otherQueues: QueueSummary[];
  lines: Record<string, LineSummary>;
  cursor: string;
  connection: Connection;
  folder: Folder;
  queueId: string;
  selectedId: string;
  conversations: Record<string, Conversation>;
  counts: Record<string, { count: number; unread: number }>;
  /** A change of a conversation that was never loaded: counters must be asked anew. */
  countsStale: boolean;
  offers: Record<string, Offer>;
  lists: Record<string, ListState>;
  timelines: Record<string, TimelineState>;
  details: Record<string, DetailState>;
  /** Versions at which conversations went out of sight. */
  gone: Record<string, string>;
  contacts: Record<string, Contact>;
  /** What was thought of conversations. */
  opinions: Record<string, { rating?: Rating; score?: ConversationScore }>;
  pending: Record<string, PendingMessage>;
  drafts: Record<string, string>;
  /** Promises that are to be done, as far as they are known. */
  promises: Record<string, Obligation>;
  /** Versions at which promises ended or went out of sight. */
  promisesGone: Record<string, string>;
  promisesLoaded: boolean;
  /** Until when (local milliseconds) who types, by conversation and operator. */
  typing: Record<string, Record<string, number>>;
  /** Messages whose conversation is not known yet. */
  orphans: Message[];
  /** How many notes that name the operator are unread. */
  mentions: number;
  /** Rises when canned replies are not what they were. */
  repliesVersion: number;
}

export type Action =
  | { type: "me"; response: GetMeResponse }
  | { type: "phase"; phase: Phase; error?: string }
  | { type: "connection"; connection: Connection }
  | { type: "folder"; folder: Folder; queueId: string }
  | { type: "select"; id: string }
  | { type: "listLoading"; key: string }
  | { type: "listFailed"; key: string; error: string }
  | { type: "list"; folder: Folder; queueId: string; response: ListConversationsResponse; more: boolean }
  | { type: "counts"; response: ListConversationsResponse }
  | { type: "conversation"; conversation: Conversation }
  | { type: "detailLoading"; id: string }
  | { type: "detailFailed"; id: string; error: string }
  | { type: "detail"; id: string; response: GetConversationResponse }
  | { type: "timelineLoading"; contactId: string; older: boolean }
  | { type: "timelineFailed"; contactId: string; error: string }
  | { type: "timeline"; contactId: string; response: ListTimelineResponse; older: boolean }
  | { type: "message"; message: Message }
  | { type: "sending"; pending: PendingMessage }
  | { type: "sendFailed"; clientId: string; error: string }
  | { type: "sendDropped"; clientId: string }
  | { type: "draft"; id: string; text: string }
  | { type: "contact"; contact: Contact }
  | { type: "suggestionGone"; conversationId: string; id: string }
  | { type: "senderBlocked"; sender: Identity; blocked: boolean }
  | { type: "offerGone"; id: string }
  | { type: "operator"; operator: Operator }
  | { type: "mentions"; unread: number }
  | { type: "promises"; promises: Obligation[] }
  | { type: "typingExpired"; now: number }
  | { type: "step"; step: SubscribeResponse; now: number }
  | { type: "reset" };
