// The contract's JSON (proto3 canonical form) as the inbox reads it: camelCase
// names, default values left out, int64 as strings, times as RFC 3339.

import type { WhyCalls } from "./why.js";

export type Time = string;
export type Medium = "VOICE" | "CHAT" | "MESSENGER" | "SMS" | "EMAIL" | "FORM";
export type Role = "OPERATOR" | "SUPERVISOR" | "ADMIN";
export type Presence = "READY" | "AWAY" | "OFFLINE";
export type RoutingState = "FREE" | "PARTIAL" | "FULL" | "NOT_RESPONDING" | "COOLING_DOWN" | "NOT_READY";
export type ConversationState = "QUEUED" | "OFFERED" | "ACTIVE" | "PARKED" | "CLOSED";
export type Direction = "INBOUND" | "OUTBOUND" | "NOTE";
export type DeliveryState = "QUEUED" | "SENT" | "DELIVERED" | "READ" | "FAILED" | "UNCERTAIN";
export type Folder = "MINE" | "WAITING" | "ALL_OPEN" | "SNOOZED" | "ENDED";
export type Trust = "CLAIMED" | "ASSERTED" | "PROVEN";
export type OfferState = "PENDING" | "ACCEPTED" | "DECLINED" | "TIMED_OUT" | "RESCINDED" | "REVOKED";

export interface Membership {
  queueId: string;
  rank?: number;
}
export interface Operator {
  id: string;
  displayName?: string;
  login?: string;
  role?: Role;
  presence?: Presence;
  awayReason?: string;
  nextPresence?: Presence;
  routingState?: RoutingState;
  load?: number;
  capacity?: number;
  autoAccept?: boolean;
  queues?: Membership[];
  idleSince?: Time;
  disabled?: boolean;
}
export interface ContactSummary {
  id: string;
  displayName?: string;
  avatarUrl?: string;
  provisional?: boolean;
  address?: string;
  known?: boolean;
}
export interface Conversation {
  id: string;
  lineId?: string;
  channel?: string;
  medium?: Medium;
  queueId?: string;
  state?: ConversationState;
  contact?: ContactSummary;
  operatorId?: string;
  waitingSince?: Time;
  createdAt?: Time;
  lastMessageAt?: Time;
  lastMessageText?: string;
  lastMessageInbound?: boolean;
  unreadCount?: number;
  returned?: boolean;
  band?: number;
  snoozedUntil?: Time;
  closedAt?: Time;
  closeReason?: string;
  disposition?: string;
  subject?: string;
  participantIds?: string[];
  answeredAt?: Time;
  threadId?: string;
  version?: string;
}
export interface Attachment {
  fileName?: string;
  mediaType?: string;
  sizeBytes?: string;
  sha256?: string;
  inline?: boolean;
  contentId?: string;
  source?: string;
  url?: string;
}
export interface Identity {
  kind?: string;
  issuer?: string;
  value?: string;
  trust?: Trust;
}
export interface Message {
  id: string;
  conversationId?: string;
  lineId?: string;
  direction?: Direction;
  operatorId?: string;
  sentAt?: Time;
  storedAt?: Time;
  attachments?: Attachment[];
  text?: { plain?: string; html?: string };
  location?: { latitude?: number; longitude?: number; title?: string };
  contactCard?: { displayName?: string; identities?: Identity[] };
  sticker?: { emoji?: string; stickerId?: string };
  postback?: { payload?: string; title?: string };
  unsupported?: { kind?: string };
  replyToMessageId?: string;
  reactions?: { emoji?: string; operatorId?: string }[];
  delivery?: DeliveryState;
  deliveryError?: string;
  editedAt?: Time;
  deletedAt?: Time;
  revisions?: { text?: string; replacedAt?: Time }[];
  clientId?: string;
}
export interface Offer {
  id: string;
  conversationId?: string;
  operatorId?: string;
  queueId?: string;
  state?: OfferState;
  madeAt?: Time;
  expiresAt?: Time;
  endedAt?: Time;
  reason?: string;
}
export interface QueueSummary {
  id: string;
  displayName?: string;
  waiting?: number;
  oldestWaitingSince?: Time;
}
export interface LineSummary {
  id: string;
  displayName?: string;
  channel?: string;
  channelName?: string;
  medium?: Medium;
  capabilities?: string[];
  textLengthMax?: number;
  attachmentBytesMax?: string;
}
export interface GetMeResponse {
  operator: Operator;
  colleagues?: Operator[];
  queues?: QueueSummary[];
  otherQueues?: QueueSummary[];
  lines?: LineSummary[];
  serverTime?: Time;
  cursor?: string;
}
export interface FolderCount {
  folder?: Folder;
  count?: number;
  unread?: number;
}
export interface ListConversationsResponse {
  conversations?: Conversation[];
  nextPageToken?: string;
  counts?: FolderCount[];
  cursor?: string;
  offers?: Offer[];
}
export interface ContactSuggestion {
  id: string;
  other?: ContactSummary;
  reason?: string;
  confidence?: number;
}
export interface Profile {
  displayName?: string;
  locale?: string;
  avatarUrl?: string;
  attributes?: Record<string, string>;
}
export interface Contact {
  id: string;
  profile?: Profile;
  identities?: Identity[];
  createdAt?: Time;
  updatedAt?: Time;
  provisional?: boolean;
  source?: { lineId?: string; channel?: string; referral?: string };
  version?: string;
}
export interface GetConversationResponse {
  conversation: Conversation;
  contact?: Contact;
  offer?: Offer;
  draft?: string;
  suggestions?: ContactSuggestion[];
  history?: Conversation[];
  sender?: Identity;
  senderBlocked?: boolean;
}
export interface ListTimelineResponse {
  messages?: Message[];
  conversations?: Conversation[];
  nextPageToken?: string;
}
export interface SearchHit {
  message: Message;
  conversation?: Conversation;
}
export interface SearchMessagesResponse {
  hits?: SearchHit[];
  nextPageToken?: string;
}
export interface Block {
  identity?: Identity;
  reason?: string;
  operatorId?: string;
  blockedAt?: Time;
}
export interface ListBlocksResponse {
  blocks?: Block[];
  nextPageToken?: string;
}
export interface FeedEvent {
  at?: Time;
  conversationOpened?: Conversation;
  conversationChanged?: Conversation;
  messageAdded?: Message;
  messageChanged?: Message;
  offerMade?: { offer: Offer; conversation?: Conversation };
  offerEnded?: Offer;
  presenceChanged?: Operator;
  queueChanged?: QueueSummary;
  contactChanged?: Contact;
  contactsMerged?: { mergedContactId?: string; contact?: Contact };
  typing?: { conversationId?: string; operatorId?: string; active?: boolean };
}
export interface SubscribeResponse {
  cursor?: string;
  ready?: { serverTime?: Time };
  event?: FeedEvent;
  reset?: { reason?: string };
}
export interface MergeContactsResponse {
  contact?: Contact;
  mergeId?: string;
}
export interface UndoMergeResponse {
  contact?: Contact;
  restored?: Contact;
}
export interface Queue {
  id: string;
  displayName?: string;
  strategy?: string;
  waiting?: number;
  offered?: number;
  oldestWaitingSince?: Time;
  active?: number;
  readyOperators?: number;
  freeOperators?: number;
}
export interface ListQueuesResponse {
  queues?: Queue[];
}
export interface LoginResponse {
  operator?: Operator;
  token?: string;
}
export interface GetSetUpResponse {
  open?: boolean;
}
export interface ListOperatorsResponse {
  operators?: Operator[];
}
export interface LineStatus {
  line?: LineSummary;
  queueId?: string;
  status?: string;
  lastInboundAt?: Time;
}
export interface UnconfiguredLine {
  lineId: string;
  waitingCount?: string;
  oldestAt?: Time;
}
export interface ListLinesResponse {
  lines?: LineStatus[];
  unconfigured?: UnconfiguredLine[];
}
export interface DeadLetter {
  id: string;
  lineId?: string;
  eventKey?: string;
  receivedAt?: Time;
  attempts?: number;
  error?: string;
  raw?: string;
}
export interface ListDeadLettersResponse {
  deadLetters?: DeadLetter[];
  nextPageToken?: string;
}
export interface Upload {
  uploadId: string;
  fileName?: string;
  mediaType?: string;
  sizeBytes?: string;
}

/** Every unary call of the inbox: request and answer by "Service/Method". */
export interface Calls extends WhyCalls {
  "Inbox/GetMe": [{}, GetMeResponse];
  "Inbox/SetPresence": [{ presence: Presence; awayReason?: string; whenIdle?: boolean; clientId: string }, Operator];
  "Inbox/ListConversations": [
    { folder?: Folder; queueId?: string; contactId?: string; pageSize?: number; pageToken?: string },
    ListConversationsResponse,
  ];
  "Inbox/GetConversation": [{ conversationId: string }, GetConversationResponse];
  "Inbox/ListTimeline": [
    { contactId?: string; conversationId?: string; pageSize?: number; pageToken?: string },
    ListTimelineResponse,
  ];
  "Inbox/AcceptOffer": [{ offerId: string; clientId: string }, Conversation];
  "Inbox/DeclineOffer": [{ offerId: string; reason?: string; clientId: string }, Conversation];
  "Inbox/TakeConversation": [{ conversationId: string; clientId: string }, Conversation];
  "Inbox/SendMessage": [
    { conversationId: string; text: string; uploadIds?: string[]; replyToMessageId?: string; clientId: string },
    Message,
  ];
  "Inbox/EditMessage": [{ messageId: string; text: string; clientId: string }, Message];
  "Inbox/DeleteMessage": [{ messageId: string; clientId: string }, Message];
  "Inbox/React": [{ messageId: string; emoji: string; clientId: string }, Message];
  "Inbox/AddNote": [{ conversationId: string; text: string; clientId: string }, Message];
  "Inbox/MarkRead": [{ conversationId: string; messageId: string }, {}];
  "Inbox/SetTyping": [{ conversationId: string; active: boolean }, {}];
  "Inbox/TransferConversation": [
    {
      conversationId: string;
      operatorId?: string;
      queueId?: string;
      resetAge?: boolean;
      note?: string;
      clientId: string;
    },
    Conversation,
  ];
  "Inbox/SnoozeConversation": [{ conversationId: string; until?: Time; clientId: string }, Conversation];
  "Inbox/FinishConversation": [
    { conversationId: string; disposition?: string; spam?: boolean; clientId: string },
    Conversation,
  ];
  "Inbox/ReopenConversation": [{ conversationId: string; clientId: string }, Conversation];
  "Inbox/StartConversation": [{ threadId: string; clientId: string }, Conversation];
  "Inbox/JoinConversation": [{ conversationId: string; leave?: boolean; clientId: string }, Conversation];
  "Inbox/SearchMessages": [{ query: string; pageSize?: number; pageToken?: string }, SearchMessagesResponse];
  "Inbox/SaveDraft": [{ conversationId: string; text: string }, {}];
  "Inbox/BlockIdentity": [{ identity: Identity; reason?: string; clientId: string }, Block];
  "Inbox/UnblockIdentity": [{ identity: Identity; clientId: string }, {}];
  "Inbox/ListBlocks": [{ pageSize?: number; pageToken?: string }, ListBlocksResponse];
  "Inbox/DismissSuggestion": [{ suggestionId: string }, {}];
  "ContactDirectory/GetContact": [{ contactId: string }, Contact];
  "ContactDirectory/UpdateContact": [
    { contactId: string; profile: Profile; version?: string; idempotencyKey: string },
    Contact,
  ];
  "ContactDirectory/MergeContacts": [
    { contactId: string; mergedContactId: string; reason?: string; idempotencyKey: string },
    MergeContactsResponse,
  ];
  "ContactDirectory/UndoMerge": [{ mergeId: string; idempotencyKey: string }, UndoMergeResponse];
  "Routing/ListQueues": [{}, ListQueuesResponse];
  "Routing/MoveToFront": [{ conversationId: string; reason?: string; clientId: string }, Conversation];
  "Routing/ForcePresence": [{ operatorId: string; presence: Presence; reason?: string; clientId: string }, Operator];
  "Admin/SetUp": [{ setUpToken: string; login: string; password: string; displayName: string }, LoginResponse];
  "Admin/GetSetUp": [{}, GetSetUpResponse];
  "Admin/Login": [{ login: string; password: string }, LoginResponse];
  "Admin/Logout": [{}, {}];
  "Admin/ChangePassword": [{ currentPassword: string; newPassword: string }, {}];
  "Admin/ListOperators": [{}, ListOperatorsResponse];
  "Admin/CreateOperator": [
    {
      login: string;
      password: string;
      displayName: string;
      role: Role;
      queues: Membership[];
      capacity?: number;
      autoAccept?: boolean;
      clientId: string;
    },
    Operator,
  ];
  "Admin/UpdateOperator": [
    {
      operatorId: string;
      displayName: string;
      role: Role;
      queues: Membership[];
      capacity?: number;
      autoAccept?: boolean;
      disabled?: boolean;
      clientId: string;
    },
    Operator,
  ];
  "Admin/SetOperatorPassword": [{ operatorId: string; password: string }, {}];
  "Admin/ListLines": [{}, ListLinesResponse];
  "Admin/ListDeadLetters": [{ pageSize?: number; pageToken?: string }, ListDeadLettersResponse];
  "Admin/GetDeadLetter": [{ id: string }, DeadLetter];
  "Admin/ReplayDeadLetter": [{ id: string }, {}];
}
