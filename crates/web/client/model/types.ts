// What the screens show. A message is never changed in place: a new one takes its place, so that a view can tell.

/** A message, or a line about the room. */
export interface Message {
  /** The same for a message from pending to kept, and unlike any other's. */
  readonly key: string;
  /** Empty until it is kept. */
  readonly msgid: string;
  readonly kind: "said" | "action" | "notice" | "event";
  readonly from: string;
  readonly account: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Its number in the room; 0 where there is none. */
  readonly number: number;
  readonly state: "kept" | "pending" | "failed";
  /** Why it failed. */
  readonly why?: string;
  readonly mine: boolean;
  /** It names me. */
  readonly mention: boolean;
  readonly edited: boolean;
  readonly deleted: boolean;
  /** The msgid that it answers. */
  readonly replyTo?: string;
  /** Who reacted with what. */
  readonly reactions: ReadonlyMap<string, readonly string[]>;
}

/** Somebody in a room. */
export interface Member {
  nick: string;
  /** Signs of roles, the highest first: ~ & @ % + */
  signs: string;
  account: string;
  away: boolean;
  bot: boolean;
}

/** Where people talk: a room, or a conversation with one person. */
export interface Room {
  readonly name: string;
  readonly id: string;
  readonly direct: boolean;
  topic: string;
  joined: boolean;
  members: Map<string, Member>;
  messages: Message[];
  /** Everything before the first message is here, too. */
  complete: boolean;
  /** Newer messages than the last one are not here. */
  behind: boolean;
  /** The edges of the history that is here, where they are further out than the first and the last message: a page may
   * hold nothing but reactions. */
  first: string;
  last: string;
  /** Pages that were asked for. */
  loading: "" | "before" | "after" | "latest" | "around";
  /** The latest page has come once. */
  loaded: boolean;
  /** Up to when I have read; 0 where nobody knows. */
  readUpTo: number;
  unread: number;
  mentions: number;
  /** Where I was when I came: the divider stands before this message. */
  divider: string;
  /** Up to when I had read then, and how much was new; 0 once I have looked at the first of it. */
  newSince: number;
  newCount: number;
  /** Until when somebody types, by nickname. */
  typing: Map<string, number>;
  /** The half-typed line. */
  draft: string;
  /** What was missed is being fetched, and so many pages of it have come; what comes live meanwhile waits. */
  catching: boolean;
  pages: number;
  waiting: (() => void)[];
  /** More came meanwhile than is kept: the latest page is wanted instead. */
  overtaken: boolean;
  /** Messages beside those of the window, by msgid; null where one was asked for. */
  others: Map<string, Message | null>;
  /** What the room points out; null until that is known. The answer comes in several lines. */
  pins: Pin[] | null;
  pinning: Pin[];
  /** The modes with their arguments; null until they are known. */
  modes: Map<string, string> | null;
  bans: Ban[] | null;
  banning: Ban[];
  /** The invitations that hold; null until they are known. The answer comes in several lines. */
  invitations: Invitation[] | null;
  listing: Invitation[];
  /** The code of the invitation that was made last, and whether one is being made here. */
  code: string;
  inviting: boolean;
  /** What was done to keep the room, the newest last; null until somebody asks. */
  records: string[] | null;
  recording: string[];
  /** What happened to messages that are not here: applied when they come. By msgid. */
  later: Map<string, Later>;
}

/** A message that a room points out. */
export interface Pin {
  number: number;
  /** Who said what. */
  text: string;
}

/** Who may not come in, or not speak. */
export interface Ban {
  mask: string;
  by: string;
  at: number;
}

/** A way into the room that others were given. */
export interface Invitation {
  number: number;
  /** How often, for how long, by whom. */
  text: string;
}

/** What is known of a message that is not here. */
export interface Later {
  edited: boolean;
  /** Who reacted with what, or took it back, in order. */
  reactions: { what: string; who: string; back: boolean }[];
  /** It was here: its page of history has nothing to add. */
  whole: boolean;
}

/** A room that one could enter. */
export interface Listed {
  name: string;
  people: number;
  topic: string;
}

/** How the connection is. */
export type Link = "new" | "connecting" | "online" | "waiting" | "over";

export function emptyRoom(name: string, id: string, direct: boolean): Room {
  return {
    name,
    id,
    direct,
    topic: "",
    joined: direct,
    members: new Map(),
    messages: [],
    complete: false,
    behind: false,
    first: "",
    last: "",
    loading: "",
    loaded: false,
    readUpTo: 0,
    unread: 0,
    mentions: 0,
    divider: "",
    newSince: 0,
    newCount: 0,
    typing: new Map(),
    draft: "",
    catching: false,
    pages: 0,
    waiting: [],
    overtaken: false,
    later: new Map(),
    others: new Map(),
    pins: null,
    pinning: [],
    modes: null,
    bans: null,
    banning: [],
    invitations: null,
    listing: [],
    code: "",
    inviting: false,
    records: null,
    recording: [],
  };
}
