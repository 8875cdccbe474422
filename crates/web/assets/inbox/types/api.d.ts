// The contract's JSON (proto3 canonical form) as the inbox reads it: camelCase
// names, default values left out, int64 as strings, times as RFC 3339.

import type { WhyCalls } from "./why.js";

export type Time = string;
export type Medium = "VOICE" | "CHAT" | "MESSENGER" | "SMS" | "EMAIL" | "FORM";
export type Role = "OPERATOR" | "SUPERVISOR" | "ADMIN";
export type Presence = "READY" | "AWAY" | "OFFLINE";
export type RoutingState =
  | "FREE"
  | "PARTIAL"
  | "FULL"
  | "NOT_RESPONDING"
  | "COOLING_DOWN"
  | "NOT_READY"
  | "WRAP_UP"
  | "DISCONNECTED";
export type ConversationState =
  | "QUEUED"
  | "OFFERED"
  | "ACTIVE"
  | "PARKED"
  | "CLOSED"
  | "WRAPPING_UP"
  | "DEFERRED"
  | "ABANDONED";
export type Direction = "INBOUND" | "OUTBOUND" | "NOTE";
export type DeliveryState = "QUEUED" | "SENT" | "DELIVERED" | "READ" | "FAILED" | "UNCERTAIN";
export type Folder = "MINE" | "WAITING" | "ALL_OPEN" | "SNOOZED" | "ENDED";
export type Trust = "CLAIMED" | "ASSERTED" | "PROVEN";
export type OfferState = "PENDING" | "ACCEPTED" | "DECLINED" | "TIMED_OUT" | "RESCINDED" | "REVOKED";

export type ObligationKind = "OBLIGATION_KIND_CALLBACK" | "OBLIGATION_KIND_REPLY" | "OBLIGATION_KIND_OTHER";
export type ObligationState =
  | "OBLIGATION_STATE_OPEN"
  | "OBLIGATION_STATE_KEPT"
  | "OBLIGATION_STATE_LATE"
  | "OBLIGATION_STATE_BROKEN"
  | "OBLIGATION_STATE_WAIVED";
export type ObligationStage = "OBLIGATION_STAGE_PROMISED" | "OBLIGATION_STAGE_REMINDED" | "OBLIGATION_STAGE_DUE";
export type ObligationNotice =
  | "OBLIGATION_NOTICE_SOON"
  | "OBLIGATION_NOTICE_DUE"
  | "OBLIGATION_NOTICE_ESCALATED"
  | "OBLIGATION_NOTICE_BROKEN";
export type ObligationWish = "OBLIGATION_WISH_CLIENT" | "OBLIGATION_WISH_OURS";
export type ObligationScope = "OBLIGATION_SCOPE_MINE" | "OBLIGATION_SCOPE_QUEUES" | "OBLIGATION_SCOPE_ALL";
export type ObligationFilter =
  | "OBLIGATION_FILTER_OPEN"
  | "OBLIGATION_FILTER_OVERDUE"
  | "OBLIGATION_FILTER_ESCALATED"
  | "OBLIGATION_FILTER_DONE";

export interface ObligationMove {
  at?: Time;
  operatorId?: string;
  from?: Time;
  to?: Time;
  wish?: ObligationWish;
  reason?: string;
}
export interface Obligation {
  id: string;
  kind?: ObligationKind;
  contact?: ContactSummary;
  conversationId?: string;
  lineId?: string;
  queueId?: string;
  operatorId?: string;
  note?: string;
  reach?: string;
  createdAt?: Time;
  createdByOperatorId?: string;
  createdByRule?: string;
  promisedFor?: Time;
  dueAt?: Time;
  state?: ObligationState;
  stage?: ObligationStage;
  escalated?: boolean;
  endedAt?: Time;
  endedByOperatorId?: string;
  waiveReason?: string;
  moves?: ObligationMove[];
  version?: string;
}
export interface ListObligationsResponse {
  obligations?: Obligation[];
  nextPageToken?: string;
  counts?: { mine?: number; mineOverdue?: number; seen?: number; seenOverdue?: number; escalated?: number };
  cursor?: string;
}

export interface Membership {
  queueId: string;
  rank?: number;
  position?: number;
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
  skills?: string[];
  lostAt?: Time;
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
  mentionedIds?: string[];
  skills?: string[];
  preferredOperatorId?: string;
  stateUntil?: Time;
  overflowExit?: string;
  overflowReason?: string;
  overflowFromQueueId?: string;
  callbackPhone?: string;
  overCapacity?: boolean;
  askedOperatorIds?: string[];
}
export interface Attachment {
  fileName?: string;
  mediaType?: string;
  sizeBytes?: string;
  sha256?: string;
  inline?: boolean;
  contentId?: string;
  problem?: string;
  source?: string;
  url?: string;
}
export interface Identity {
  kind?: string;
  issuer?: string;
  value?: string;
  trust?: Trust;
}
export interface LetterAddress {
  name?: string;
  address?: string;
}
export interface Letter {
  messageId?: string;
  subject?: string;
  from?: LetterAddress;
  to?: LetterAddress[];
  cc?: LetterAddress[];
  replyTo?: LetterAddress[];
  brief?: string;
  hasBrief?: boolean;
  automatic?: "REPLY" | "NOTICE" | "LIST" | "REPORT" | "COMPLAINT";
  warnings?: (
    | "UNVERIFIED"
    | "FORGED"
    | "REPLY_ELSEWHERE"
    | "STRANGER"
    | "LOOK_ALIKE"
    | "INVISIBLE"
    | "SEVERAL_SENDERS"
    | "BROKEN"
    | "CUT"
    | "ENCIPHERED"
  )[];
}
export interface LetterToSend {
  subject?: string;
  to?: LetterAddress[];
  cc?: LetterAddress[];
  forwardedMessageId?: string;
}
export interface Template {
  name: string;
  language?: string;
  category?: string;
  text?: string;
  variables?: { id: string; example?: string }[];
  buttons?: string[];
  takesFile?: boolean;
  fileKind?: string;
}
export interface TemplateToSend {
  name: string;
  language?: string;
  values: Record<string, string>;
}
export interface ListTemplatesResponse {
  templates?: Template[];
}
export interface Message {
  letter?: Letter;
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
  mentions?: string[];
  writtenElsewhere?: boolean;
  buttons?: string[];
  template?: TemplateToSend;
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
  dispositions?: string[];
  dispositionRequired?: boolean;
  wrapUp?: "off" | "timed" | "fixed" | "manual";
  removed?: boolean;
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
  addresses?: string[];
  replyWindowS?: string;
}
export interface GetMeResponse {
  operator: Operator;
  colleagues?: Operator[];
  queues?: QueueSummary[];
  otherQueues?: QueueSummary[];
  lines?: LineSummary[];
  serverTime?: Time;
  cursor?: string;
  unreadMentionCount?: number;
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
  ratings?: Rating[];
  scores?: ConversationScore[];
}
export interface ListRatingsResponse {
  ratings?: Rating[];
  nextPageToken?: string;
}
export interface Rating {
  conversationId?: string;
  operatorId?: string;
  queueId?: string;
  score?: number;
  comment?: string;
  ratedAt?: Time;
  changedAt?: Time;
}
export interface ConversationScore {
  conversationId?: string;
  operatorId?: string;
  scoredById?: string;
  score?: number;
  comment?: string;
  scoredAt?: Time;
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
  cannedRepliesChanged?: { personal?: boolean };
  mentionsChanged?: { unreadCount?: number };
  obligationChanged?: Obligation;
  obligationDue?: { obligation?: Obligation; notice?: ObligationNotice };
  rated?: Rating;
  scored?: ConversationScore;
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
  direct?: boolean;
  waiting?: number;
  offered?: number;
  oldestWaitingSince?: Time;
  active?: number;
  readyOperators?: number;
  freeOperators?: number;
  today?: import("./metrics.js").QueueToday;
  activities?: { activity?: import("./metrics.js").Activity; operators?: number }[];
  deferred?: number;
  abandoned?: number;
  wrappingUp?: number;
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
export interface AuditEntry {
  id: string;
  at?: Time;
  operatorId?: string;
  tokenId?: string;
  act?: string;
  subject?: string;
  detail?: string;
}
export interface ListAuditResponse {
  entries?: AuditEntry[];
  nextPageToken?: string;
}
export interface VerifyAuditResponse {
  whole?: boolean;
  entryCount?: string;
  seal?: string;
  problem?: string;
}
export type WebhookState =
  | "WEBHOOK_UP"
  | "WEBHOOK_RETRYING"
  | "WEBHOOK_SUSPENDED"
  | "WEBHOOK_GONE"
  | "WEBHOOK_UNCONFIGURED";
export interface Webhook {
  id: string;
  url?: string;
  events?: string[];
  queueIds?: string[];
  state?: WebhookState;
  behindCount?: string;
  deliveredCount?: string;
  lostCount?: string;
  attempts?: number;
  failingSince?: Time;
  nextTryAt?: Time;
  deliveredAt?: Time;
  error?: string;
}
export interface ListWebhooksResponse {
  webhooks?: Webhook[];
}
export interface TestWebhookResponse {
  taken?: boolean;
  httpStatus?: number;
  text?: string;
  tookMs?: string;
}
export interface Upload {
  uploadId: string;
  fileName?: string;
  mediaType?: string;
  sizeBytes?: string;
}

export interface Mention {
  message: Message;
  conversation?: Conversation;
  readAt?: Time;
}
export interface ListMentionsResponse {
  mentions?: Mention[];
  nextPageToken?: string;
  unreadCount?: number;
}
export interface CannedReply {
  id?: string;
  shortcut?: string;
  title?: string;
  text?: string;
  queueIds?: string[];
  personal?: boolean;
  variants?: { locale?: string; text?: string }[];
  useCount?: string;
  changedAt?: Time;
  changedBy?: string;
  version?: string;
}
export interface ListCannedRepliesResponse {
  cannedReplies?: CannedReply[];
  nextPageToken?: string;
}

/** Every unary call of the inbox: request and answer by "Service/Method". */
export interface Calls extends WhyCalls {
  "Inbox/GetMe": [{}, GetMeResponse];
  "Inbox/SetPresence": [{ presence: Presence; awayReason?: string; whenIdle?: boolean; clientId: string }, Operator];
  "Inbox/ListConversations": [
    { folder?: Folder; queueId?: string; contactId?: string; pageSize?: number; pageToken?: string },
    ListConversationsResponse,
  ];
  "Inbox/ScheduleCallback": [
    {
      conversationId?: string;
      contactId?: string;
      queueId?: string;
      kind?: ObligationKind;
      dueAt: Time;
      operatorId?: string;
      wholeQueue?: boolean;
      note?: string;
      reach?: string;
      clientId: string;
    },
    Obligation,
  ];
  "Inbox/ListObligations": [
    { scope?: ObligationScope; filter?: ObligationFilter; contactId?: string; pageSize?: number; pageToken?: string },
    ListObligationsResponse,
  ];
  "Inbox/ResolveObligation": [
    {
      obligationId: string;
      kept?: {};
      waived?: { reason: string };
      moved?: { dueAt: Time; wish: ObligationWish; reason?: string };
      assigned?: { operatorId?: string };
      clientId: string;
    },
    Obligation,
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
    {
      conversationId: string;
      text: string;
      uploadIds?: string[];
      replyToMessageId?: string;
      clientId: string;
      cannedReplyIds?: string[];
      letter?: LetterToSend;
      buttons?: string[];
      template?: TemplateToSend;
    },
    Message,
  ];
  "Inbox/ListTemplates": [{ lineId: string }, ListTemplatesResponse];
  "Inbox/EditMessage": [{ messageId: string; text: string; clientId: string }, Message];
  "Inbox/DeleteMessage": [{ messageId: string; clientId: string }, Message];
  "Inbox/React": [{ messageId: string; emoji: string; clientId: string }, Message];
  "Inbox/AddNote": [
    { conversationId: string; text: string; clientId: string; mentionedOperatorIds?: string[] },
    Message,
  ];
  "Inbox/ListMentions": [{ unreadOnly?: boolean; pageSize?: number; pageToken?: string }, ListMentionsResponse];
  "Inbox/MarkMentionsRead": [{ conversationId?: string }, { unreadCount?: number }];
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
  "Inbox/StartConversation": [
    { clientId: string } & ({ threadId: string } | { lineId: string; address: string; subject?: string }),
    Conversation,
  ];
  "Inbox/JoinConversation": [{ conversationId: string; leave?: boolean; clientId: string }, Conversation];
  "Inbox/SearchMessages": [{ query: string; pageSize?: number; pageToken?: string }, SearchMessagesResponse];
  "Inbox/SaveDraft": [{ conversationId: string; text: string }, {}];
  "Inbox/BlockIdentity": [{ identity: Identity; reason?: string; clientId: string }, Block];
  "Inbox/UnblockIdentity": [{ identity: Identity; clientId: string }, {}];
  "Inbox/ListBlocks": [{ pageSize?: number; pageToken?: string }, ListBlocksResponse];
  "Inbox/DismissSuggestion": [{ suggestionId: string }, {}];
  "Inbox/ListRatings": [
    {
      from?: Time;
      to?: Time;
      queueId?: string;
      operatorId?: string;
      scoreMax?: number;
      pageSize?: number;
      pageToken?: string;
    },
    ListRatingsResponse,
  ];
  "Inbox/ScoreConversation": [
    { conversationId: string; score: number; comment: string; clientId: string },
    ConversationScore,
  ];
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
  "Routing/GetMetrics": [import("./metrics.js").GetMetricsRequest, import("./metrics.js").GetMetricsResponse];
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
      skills?: string[];
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
      skills?: string[];
      clientId: string;
    },
    Operator,
  ];
  "Admin/SetOperatorPassword": [{ operatorId: string; password: string }, {}];
  "Admin/ListCannedReplies": [
    { query?: string; queueId?: string; pageSize?: number; pageToken?: string },
    ListCannedRepliesResponse,
  ];
  "Admin/SaveCannedReply": [{ cannedReply: CannedReply; clientId: string }, CannedReply];
  "Admin/DeleteCannedReply": [{ id: string; clientId: string }, {}];
  "Admin/ListLines": [{}, ListLinesResponse];
  "Admin/ListDeadLetters": [{ pageSize?: number; pageToken?: string }, ListDeadLettersResponse];
  "Admin/GetDeadLetter": [{ id: string }, DeadLetter];
  "Admin/ReplayDeadLetter": [{ id: string }, {}];
  "Admin/ListAudit": [
    { pageSize?: number; pageToken?: string; operatorId?: string; act?: string; since?: Time; until?: Time },
    ListAuditResponse,
  ];
  "Admin/VerifyAudit": [{ keptSeal?: string }, VerifyAuditResponse];
  "Admin/ListWebhooks": [{}, ListWebhooksResponse];
  "Admin/ResumeWebhook": [{ webhookId: string; clientId: string }, {}];
  "Admin/TestWebhook": [{ webhookId: string }, TestWebhookResponse];
}
