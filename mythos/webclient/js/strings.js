/**
 * Every word that the client itself says. Another language is another object of this shape; a value with
 * `one` and `other` is chosen by the plural rules of the language for `{n}`.
 */
export const ENGLISH = {
  language: "en",
  title: "Mythos",
  titleIn: "{room} · Mythos",
  skip: "Skip to the command line",
  skipEnter: "Skip to the way in",
  // coming in
  welcome: "A world made of words. Come in.",
  guestHeading: "Just look around",
  guestText: "You need no name and no password.",
  guest: "Play as a guest",
  accountHeading: "Your character",
  accountWhich: "Do you have one?",
  haveOne: "Yes, log in",
  makeOne: "No, make one",
  name: "Name",
  password: "Password",
  passwordHint: "At least 8 characters.",
  showPassword: "Show the password",
  login: "Log in",
  register: "Make this character",
  claimHeading: "Become keeper of this world",
  claimText: "This makes the account keeper: it may build this world and run it. A name that is new here makes a new account; for one you have, give its password.",
  code: "Code",
  claim: "Become keeper",
  working: "One moment…",
  noName: "Give a name.",
  noPassword: "Give a password.",
  noCode: "Give the code that the server printed.",
  unreachable: "The server does not answer. Try again in a moment.",
  sessionOver: "Your last session is over. Come in again.",
  // playing
  output: "Game output",
  command: "Command",
  secretField: "Password, not shown",
  send: "Send",
  status: "Status",
  newLines: { one: "{n} new line", other: "{n} new lines" },
  gap: { one: "{n} line could not be kept", other: "{n} lines could not be kept" },
  gapUnknown: "Some lines could not be kept",
  missed: "while you were away ({n})",
  waiting: "(waiting for the link)",
  unsent: "(not sent)",
  unsure: "(perhaps not done)",
  notDone: "Not done: {reason}",
  tooLong: "That line is too long. It may have {n} bytes.",
  tooMany: "Too many commands are waiting. Give them a moment.",
  notIn: "You are not in the game.",
  noSuchLine: "There is no such line.",
  // the link
  connecting: "Connecting…",
  live: "Connected",
  liveSecond: "Connected by event stream, as WebSocket does not get through",
  lost: "Link lost, trying again…",
  ended: "Not connected",
  lostAlert: "The link is lost. Trying again.",
  backAlert: "The link is back.",
  lowHealth: "Health is low: {n} of {max}.",
  again: "Come in again",
  back: "Go on here",
  endQuit: "You have left the game.",
  endTaken: "This character is now played from somewhere else.",
  endOther: "The game has closed the connection: {reason}",
  // gauges, by the name in Char.Vitals
  hp: "Health",
  nerve: "Nerve",
  breath: "Breath",
  mana: "Mana",
  gauge: "{value} of {max}",
  levelLabel: "Level",
  xpLabel: "Experience",
  goldLabel: "Gold",
  // panels
  panels: "Panels",
  room: "Here",
  self: "You",
  bag: "Bag",
  channels: "Channels",
  tasks: "Tasks",
  answerFirst: "Answer the question first.",
  north: "north",
  northeast: "northeast",
  east: "east",
  southeast: "southeast",
  south: "south",
  southwest: "southwest",
  west: "west",
  northwest: "northwest",
  up: "up",
  down: "down",
  open: "open",
  openWay: "open the way {way}",
  unlock: "unlock",
  unlockWay: "unlock the way {way}",
  closed: "closed",
  locked: "locked",
  dark: "It is too dark to see anything.",
  alone: "Nobody and nothing else is here.",
  lookAt: "look at {what}",
  talk: "talk",
  talkTo: "talk to {who}",
  others: { one: "and {n} other", other: "and {n} others" },
  get: "get",
  getIt: "get {what}",
  gold: { one: "{n} gold coin", other: "{n} gold coins" },
  nothing: "You carry nothing.",
  drop: "drop",
  dropIt: "drop {what}",
  remove: "remove",
  removeIt: "remove {what}",
  hand: "in hand",
  light: "held up",
  lit: "lit",
  offered: "You could begin here:",
  noTasks: "No tasks yet.",
  tasksDone: "Done: {list}.",
  whichChannel: "Channel",
  saidOn: "Said on {name}",
  tells: "Tells",
  unread: "{name} ({n} new)",
  count: "{name} ({n})",
  write: "Write",
  // keys
  keys: "Keys",
  keyHistory: "Up and Down: earlier commands; what you were typing is kept",
  keyReview: "Control and a digit from 1 to 9: hear that line again, counting back from the last",
  keyScroll: "Page Up and Page Down: look back; End in the output: to the newest line",
};

/** @type {Record<string, any>} */
let words = ENGLISH;
let plurals = new Intl.PluralRules(words.language);

/** @param {typeof ENGLISH} language */
export function speakIn(language) {
  words = language;
  plurals = new Intl.PluralRules(language.language);
}

/** @param {string} key */
export const has = (key) => key in words;

/**
 * @param {string} key
 * @param {Record<string, string|number>} [values] for the `{names}` in it
 * @returns {string}
 */
export function say(key, values = {}) {
  const found = words[key];
  const text = typeof found === "string" ? found : found[plurals.select(Number(values.n))] ?? found.other;
  return text.replace(/\{(\w+)\}/g, (/** @type {string} */ whole, /** @type {string} */ name) => String(values[name] ?? whole));
}
