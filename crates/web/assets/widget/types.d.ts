// The site chat's wire format and the shapes the widget's modules share.
// Only the type checker reads this file.

declare namespace Site {
  type Words = import('./i18n.js').Words;
  type Session = import('./session.js').Session;
  type Uploads = import('./composer.js').Uploads;
  type Thread = import('./thread.js').Thread;
  type Storage = import('./thread.js').Storage;

  /** A number of the server's log. It goes back as it came, as a number or as text. */
  type Cursor = number | string;

  interface Limits {
    text_length_max?: number;
    file_bytes_max?: number;
    /** Zero when files are not taken. */
    files_per_message_max?: number;
  }

  interface PrechatField {
    name: 'name' | 'email' | 'phone';
    required?: boolean;
  }

  interface Consent {
    required?: boolean;
    text?: string;
    privacy_url?: string | null;
  }

  interface Config {
    title?: string;
    subtitle?: string;
    greeting?: string;
    color?: string;
    text_color?: string;
    position?: string;
    locale?: string;
    /** By language, then by name: `title`, `subtitle`, `greeting`, `consent_text`, or the label of a field. */
    texts?: Record<string, Record<string, string>>;
    prechat?: PrechatField[];
    consent?: Consent;
    limits?: Limits;
    /** Whether signed identities are taken. */
    identify?: boolean;
    /** When the line opens again; absent while it is open. */
    closed_until?: number;
  }

  interface Attachment {
    file_name: string;
    media_type: string;
    size_bytes: number;
    url?: string;
  }

  interface Message {
    id: string;
    cursor: Cursor;
    author: 'client' | 'operator';
    operator_name?: string;
    sent_at: number;
    text?: string;
    attachments?: Attachment[];
    client_id?: string;
    reply_to?: string;
    edited_at?: number;
    deleted?: boolean;
    reactions?: { emoji: string }[];
    delivery?: string | null;
  }

  interface Profile {
    name?: string;
    email?: string;
    phone?: string;
    consent?: boolean;
    attributes?: Record<string, string | number | boolean>;
  }

  /** A profile that waits for a conversation. */
  interface Kept extends Profile {
    /** Which visitor's it is; empty while that is not known. */
    by?: string;
  }

  type ClientFrame =
    | { type: 'hello'; token?: string; cursor?: Cursor; visitor_id?: string; session?: string; locale?: string; page?: string; referrer?: string }
    | { type: 'message'; client_id: string; text: string; upload_ids?: string[]; reply_to?: string }
    | { type: 'typing'; active: boolean }
    | { type: 'read'; cursor: Cursor }
    | { type: 'delivered'; cursor: Cursor }
    | { type: 'identify'; token: string }
    | ({ type: 'profile' } & Profile)
    | (Asking & { client_id: string })
    | { type: 'ping' };

  /** What is done at once or not at all. */
  type Asking =
    | { type: 'callback'; phone: string; comment?: string }
    | { type: 'rating'; conversation_id: string; score: number; comment: string };

  /** From 1, the worst, to 5. */
  type Score = 1 | 2 | 3 | 4 | 5;

  /** Where the visitor stands in the queue. */
  interface Standing {
    /** 1 is next; 0 while the line is closed. */
    position: number;
    expected_ms?: number;
    low_ms?: number;
    high_ms?: number;
    closed_until?: number;
    /** A number can be left, which keeps the place. */
    callback: boolean;
    callback_left: boolean;
  }

  /** A conversation that has ended, and how it was rated. */
  interface Rate {
    conversation_id: string;
    operator_name: string;
    score?: Score;
    comment: string;
    until: number;
  }

  /** What one tab has changed of what is shown beside the messages. */
  interface Shown {
    standing?: Standing;
    rate?: Rate;
  }

  type ServerFrame =
    | { type: 'welcome'; visitor_token?: string; visitor_id: string; cursor: Cursor; limits?: Limits; server_time?: number }
    | ({ type: 'message' } & Message)
    | { type: 'synced'; cursor: Cursor }
    | { type: 'ack'; client_id: string }
    | { type: 'identified'; user_id: string; visitor_id: string; cursor: Cursor; session: string }
    | { type: 'refused'; client_id?: string; code: string; text: string; retry_after_ms?: number }
    | { type: 'typing'; active: boolean; name?: string }
    | ({ type: 'standing' } & Standing)
    | ({ type: 'rate' } & Rate)
    | { type: 'error'; code: string; text: string }
    | { type: 'bye'; reason: string; resume_after_ms?: number }
    | { type: 'pong' };

  /** A message the visitor wrote that the server has not echoed yet. */
  interface Outgoing {
    client_id: string;
    text: string;
    upload_ids: string[];
    attachments: Attachment[];
    written_at: number;
    /** Why the server refused it for good. */
    failed?: string;
    acknowledged?: boolean;
    /** Which visitor wrote it; empty while that is not known. */
    by?: string;
  }

  type DeliveryState = 'queued' | 'sent' | 'delivered' | 'read' | 'failed' | '';

  /** One bubble, whether it comes from the server or from the outbox. */
  interface Item {
    key: string;
    id?: string;
    client_id?: string;
    own: boolean;
    name?: string;
    at: number;
    text: string;
    attachments: Attachment[];
    reply_to?: string;
    edited: boolean;
    deleted: boolean;
    /** Emojis. */
    reactions: string;
    state: DeliveryState;
    failed?: string;
    /** When this version arrived: attachment links are signed for a short time. */
    received_at: number;
  }

  type Status = 'idle' | 'connecting' | 'online' | 'reconnecting';

  /** What one tab tells the others. */
  type TabMessage =
    | { kind: 'join'; from: string }
    | { kind: 'lead'; from: string }
    | { kind: 'snapshot'; to: string; snapshot: Snapshot }
    | { kind: 'frame'; frame: ServerFrame }
    | { kind: 'status'; status: Status }
    | { kind: 'send'; frame: ClientFrame }
    | { kind: 'outgoing'; entry: Outgoing }
    | { kind: 'discard'; client_id: string }
    | { kind: 'show'; shown: Shown }
    | { kind: 'profile'; profile: Profile }
    | { kind: 'identify'; token: string }
    | { kind: 'read'; cursor: Cursor }
    | { kind: 'focus' }
    | { kind: 'refresh' }
    | { kind: 'reset' };

  interface Snapshot {
    token?: string;
    visitor: string;
    ticket: string;
    cursor?: Cursor;
    read?: Cursor;
    limits: Limits;
    status: Status;
    synced: boolean;
    standing?: Standing;
    rate?: Rate;
    messages: Message[];
    outgoing: Outgoing[];
  }

  interface User extends Profile {
    /** The identity signed by the site's own server, or a function that fetches one when it is needed. */
    token?: string | (() => string | Promise<string>);
  }

  type EventName = 'ready' | 'unread' | 'opened' | 'closed';

  interface Uploaded extends Attachment {
    upload_id: string;
  }

  /** A file on its way up. */
  interface Upload {
    file: File;
    state: 'waiting' | 'uploading' | 'done' | 'failed';
    percent: number;
    uploaded?: Uploaded;
    request?: XMLHttpRequest;
  }

  interface LogActions {
    base: string;
    /** The reader is at the newest message. */
    seen(): void;
    retry(clientId: string): void;
    discard(clientId: string): void;
    /** Asks for fresh attachment links and waits for them. */
    refreshed(): Promise<void>;
  }

  interface ViewParts {
    base: string;
    config: Config;
    words: Words;
    session: Session;
    uploads: Uploads;
    draft: string;
    actions: {
      close(): void;
      seen(): void;
      soundOn(): boolean;
      sound(on: boolean): void;
      begin(profile: Profile): void;
    };
  }

  /** What a session tells the page. */
  interface SessionOwner {
    changed(): void;
    arrived(): void;
    forgotten(): void;
  }

  /** What a WebSocket that comes back asks and tells. */
  interface SocketOwner {
    hello(): ClientFrame;
    frame(frame: ServerFrame): void;
    status(status: Status): void;
  }

  /** What is known beside the messages asks and tells its session. */
  interface BesideOwner {
    readonly status: Status;
    readonly storage: Storage;
    send(frame: ClientFrame): void;
    share(shown: Shown): void;
  }

  /** What the leading tab's end of the socket asks and tells its session. */
  interface LeaderOwner {
    readonly thread: Thread;
    readonly token: string | undefined;
    readonly identity: string;
    readonly ticket: string;
    readonly asks: boolean;
    frame(frame: ServerFrame): void;
    shareStatus(status: Status): void;
  }

  /** What the lock and the channel between tabs tell a session. */
  interface TabsOwner {
    lead(): void;
    follow(): void;
    hear(message: TabMessage): void;
  }

  /** What the loader hands to `chat.js`. */
  interface Context {
    base: string;
    line: string;
    /** Prefix of this line's keys in localStorage and of its lock and channel. */
    prefix: string;
    root: ShadowRoot;
    launcher: HTMLButtonElement;
    config: Config;
    locale: string;
    emit(event: EventName, detail?: unknown): void;
  }

  interface Chat {
    open(): void;
    close(): void;
    toggle(): void;
    identify(user: User | string): void;
    setAttributes(attributes: Record<string, string | number | boolean>): void;
    setLocale(locale: string): void;
    reset(): void;
  }

  interface Api extends Omit<Chat, 'toggle'> {
    on(event: EventName, listener: (detail?: any) => void): () => void;
    push(...callbacks: ((api: Api) => void)[]): void;
  }
}

interface Window {
  Switchboard?: Site.Api | ((api: Site.Api) => void)[];
}
